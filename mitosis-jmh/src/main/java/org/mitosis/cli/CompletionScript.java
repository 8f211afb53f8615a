// SPDX-License-Identifier: Apache-2.0
package org.mitosis.cli;

import java.io.PrintStream;
import java.util.List;
import org.mitosis.setting.ExitCode;
import picocli.AutoComplete;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Spec;

/** The command {@code completion}, by which a build makes the script. */
@Command(
    name = "completion",
    header = "A script that has bash complete commands and options of mitosis-bench and ./bench.",
    description = "For a session: source <(./bench completion)")
final class CompletionScript implements BenchCommand {
  @Spec private CommandSpec spec;

  private final PrintStream out;

  CompletionScript(PrintStream out) {
    this.out = out;
  }

  @Override
  public ExitCode run(List<String> given) {
    out.print(AutoComplete.bash(ManPage.NAME, spec.root().commandLine()));
    // bash looks for the last part of a path, too: ./bench
    out.println("complete -F _complete_" + ManPage.NAME + " -o default bench");
    return ExitCode.DONE;
  }
}
