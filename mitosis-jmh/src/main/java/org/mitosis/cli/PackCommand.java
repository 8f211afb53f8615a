// SPDX-License-Identifier: Apache-2.0
package org.mitosis.cli;

import java.io.IOException;
import java.io.PrintStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.mitosis.result.PackedRun;
import org.mitosis.result.Run;

/** The command {@code pack}: the folder of a run as one .zip file. */
final class PackCommand {
  static final String HELP =
      """
      java -jar benchmarks.jar pack [-o FILE] [--force] RUN

      Packs RUN, the folder of a run, as one .zip file, which report and compare read like the
      folder. The folder stays unchanged. Its report is left out: it can be made again.

        -o FILE    the .zip file, which must not exist; by default RUN.zip beside the folder
        --force    also pack a run that has not ended

      Prints the name of the file. Exit code 0 if it was written, 1 if not.
      """;

  private final PrintStream out;
  private final PrintStream err;

  PackCommand(PrintStream out, PrintStream err) {
    this.out = out;
    this.err = err;
  }

  int run(String[] args) {
    if (args.length == 1 && List.of("--help", "-h").contains(args[0])) {
      out.print(HELP);
      return 0;
    }
    Path folder = null;
    Path zip = null;
    boolean force = false;
    for (int i = 0; i < args.length; i++) {
      if (args[i].equals("-o") && i + 1 < args.length) {
        zip = Path.of(args[++i]);
      } else if (args[i].equals("--force")) {
        force = true;
      } else if (args[i].startsWith("-")) {
        return refuse("pack: unknown option or missing value: " + args[i] + ": see pack --help");
      } else if (folder != null) {
        return refuse("pack: unexpected argument '" + args[i] + "': see pack --help");
      } else {
        folder = Path.of(args[i]);
      }
    }
    if (folder == null) {
      return refuse("pack takes the folder of a run: see pack --help");
    }
    try {
      Path target = zip == null ? PackedRun.fileFor(folder) : zip;
      pack(folder, target, force);
      out.println(target);
      return 0;
    } catch (IOException e) {
      return refuse(e.getMessage());
    }
  }

  private void pack(Path folder, Path zip, boolean force) throws IOException {
    if (Files.isRegularFile(folder)) {
      throw new IOException(
          folder + " is a file: pack takes the folder of a run (see pack --help)");
    }
    Run run = Run.read(folder);
    if (!run.ended() && !force) {
      throw new IOException(
          folder
              + " does not say that the run has ended: wait for its end, or pack the results so far"
              + " with --force");
    }
    run.problems().forEach(this::say);
    PackedRun.write(folder, zip);
  }

  private int refuse(String message) {
    say(message);
    return 1;
  }

  private void say(String message) {
    err.println("mitosis: " + message);
  }
}
