// SPDX-License-Identifier: Apache-2.0
package org.mitosis.cli;

import java.io.PrintStream;
import java.util.List;
import org.mitosis.nativefiles.NativeFiles;
import org.mitosis.setting.ExitCode;
import picocli.CommandLine.Command;

/** The command {@code programs}: where the native programs of the jar are. */
@Command(
    name = "programs",
    header = "The folder of mitosis-child, mitosis-prepare and the other native programs.",
    description =
        "Prints the folder of the native programs and libraries of this jar, and unpacks them there"
            + " if they are missing: mitosis-child, mitosis-prepare, mitosis-unprepare,"
            + " libmitosis-preload.so and others.")
final class ProgramFolder implements BenchCommand {
  private final PrintStream out;

  ProgramFolder(PrintStream out) {
    this.out = out;
  }

  @Override
  public ExitCode run(List<String> given) {
    out.println(NativeFiles.path("mitosis-prepare").getParent());
    return ExitCode.DONE;
  }
}
