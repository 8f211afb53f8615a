// SPDX-License-Identifier: Apache-2.0
package org.mitosis.cli;

import java.io.PrintStream;
import java.util.List;
import org.mitosis.MitosisException;
import org.mitosis.nativefiles.NativeFiles;

/** The command {@code programs}: where the native programs of the jar are. */
final class ProgramFolder {
  static final String WORD = "programs";

  private static final String HELP =
      """
      java -jar benchmarks.jar programs

      Prints the folder of the native programs and libraries of this jar, which it unpacks there if
      need be: mitosis-child, mitosis-prepare, mitosis-unprepare, libmitosis-preload.so and others.
      """;

  private final PrintStream out;
  private final PrintStream err;

  ProgramFolder(PrintStream out, PrintStream err) {
    this.out = out;
    this.err = err;
  }

  /** Prints the folder; the exit code. */
  int run(String[] args) {
    if (args.length > 0) {
      boolean asked = List.of("--help", "-h").contains(args[0]);
      (asked ? out : err).print(HELP);
      return asked ? 0 : 2;
    }
    try {
      out.println(NativeFiles.path("mitosis-prepare").getParent());
      return 0;
    } catch (MitosisException e) {
      err.println("mitosis: " + e.getMessage());
      return 1;
    }
  }
}
