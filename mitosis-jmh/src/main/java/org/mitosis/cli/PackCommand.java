// SPDX-License-Identifier: Apache-2.0
package org.mitosis.cli;

import java.io.IOException;
import java.io.PrintStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.mitosis.result.PackedRun;
import org.mitosis.result.Run;
import org.mitosis.setting.ExitCode;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** The command {@code pack}: the folder of a run as one .zip file. */
@Command(
    name = "pack",
    header = "The folder of a run as one .zip file, which report and compare read.",
    description =
        "Packs the folder of a run as one .zip file, which report and compare read like the folder,"
            + " and prints its name. The folder stays unchanged. Its report is left out: it can be"
            + " made again.")
final class PackCommand implements BenchCommand {
  @Option(
      names = "-o",
      paramLabel = "FILE",
      description = "The .zip file, which must not exist; by default RUN.zip beside the folder.")
  private Path zip;

  @Option(names = "--force", description = "Also pack a run that has not ended.")
  private boolean force;

  @Parameters(paramLabel = "RUN", description = "The folder of a run.")
  private Path folder;

  private final PrintStream out;
  private final PrintStream err;

  PackCommand(PrintStream out, PrintStream err) {
    this.out = out;
    this.err = err;
  }

  @Override
  public ExitCode run(List<String> given) throws IOException {
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
    run.problems().forEach(problem -> err.println("mitosis: " + problem));
    Path target = zip == null ? PackedRun.fileFor(folder) : zip;
    PackedRun.write(folder, target);
    out.println(target);
    return ExitCode.DONE;
  }
}
