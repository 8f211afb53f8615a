// SPDX-License-Identifier: Apache-2.0
package org.mitosis.cli;

import java.io.PrintStream;
import java.util.List;
import java.util.Map;
import org.mitosis.MitosisException;
import org.mitosis.fixture.PythonFunction;
import org.mitosis.fixture.PythonInterpreter;
import org.mitosis.setting.MissingPrerequisite;

/** The command {@code functions}: all functions, and what each lacks on this machine. */
final class FunctionList {
  private static final String ROW = "%-12s  %-8s  %5s  %s%n";

  private final PrintStream out;

  FunctionList(PrintStream out) {
    this.out = out;
  }

  /** Prints the list; the exit code. */
  int run(String[] args) {
    if (args.length > 0) {
      out.println("usage: java -jar benchmarks.jar functions");
      return args[0].equals("--help") ? 0 : 1;
    }
    Map<String, List<String>> missing;
    try {
      missing = PythonInterpreter.chosen().missing();
    } catch (MissingPrerequisite | MitosisException e) {
      out.println("mitosis: " + e.getMessage());
      return 1;
    }
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
    return 0;
  }
}
