// SPDX-License-Identifier: Apache-2.0
package org.mitosis.cli;

import java.io.PrintStream;
import java.util.List;
import java.util.Map;
import org.mitosis.fixture.PythonFunction;
import org.mitosis.fixture.PythonInterpreter;
import org.mitosis.setting.ExitCode;
import picocli.CommandLine.Command;

/** The command {@code functions}: all functions, and what each lacks on this machine. */
@Command(
    name = "functions",
    header = "The Python functions: what they represent, and what each lacks on this machine.",
    description =
        "Lists for each function whether it can run here, the memory that it takes, what kind of"
            + " work it represents, and what is missing with the command that installs it.")
final class FunctionList implements BenchCommand {
  private static final String ROW = "%-12s  %-8s  %5s  %s%n";

  private final PrintStream out;

  FunctionList(PrintStream out) {
    this.out = out;
  }

  @Override
  public ExitCode run(List<String> given) {
    Map<String, List<String>> missing = PythonInterpreter.chosen().missing();
    out.printf(ROW, "function", "here", "MiB", "what it stands for");
    for (PythonFunction function : PythonFunction.known()) {
      List<String> lacks = missing.get(function.name());
      out.printf(
          ROW,
          function.name(),
          lacks.isEmpty() ? "yes" : "no",
          function.requirements().memoryMiB(),
          function.standsFor());
      if (!lacks.isEmpty()) {
        out.printf(
            ROW,
            "",
            "",
            "",
            "  lacks " + String.join(", ", lacks) + ": " + function.installation());
      }
    }
    out.println();
    out.println(
        "The first nine have published figures and are run by default; choose with -p "
            + PythonFunction.PROPERTY
            + "=NAME,NAME.");
    out.println("Python: " + PythonInterpreter.chosen().path());
    return ExitCode.DONE;
  }
}
