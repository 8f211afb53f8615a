// SPDX-License-Identifier: Apache-2.0
package org.mitosis.cli;

import java.io.IOException;
import java.io.PrintStream;
import java.nio.file.FileSystemException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.mitosis.report.Report;
import org.mitosis.result.PackedRun;
import org.mitosis.result.ResultFolder;
import org.mitosis.result.Run;
import org.mitosis.setting.ExitCode;
import org.mitosis.setting.FileFailure;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** The command {@code report}: pages, tables and plots of runs. */
@Command(
    name = "report",
    header = "Pages, tables and plots of runs.",
    description = {
      "Writes index.html (one file, which needs no network), report.md, figures.csv, plots/ with"
          + " each figure as SVG, PDF and PNG, and of a single run figures.jmh.json, which programs that"
          + " read JMH's results read: github-action-benchmark (tool: jmh), Bencher (java_jmh).",
      "The report has all that could be read; it is a failure if that is not everything."
    })
final class ReportCommand implements BenchCommand {
  @Option(
      names = "-o",
      paramLabel = "DIR",
      description =
          "The folder to write to; by default the folder report in RUN, NAME-report beside"
              + " NAME.zip, or ./report of several.")
  private Path folder;

  @Parameters(
      paramLabel = "RUN",
      arity = "1..*",
      description =
          "The folder of a run, a .zip of one (see pack), or a JSON file of JMH. Several are shown"
              + " together.")
  private List<Path> paths;

  private final PrintStream out;
  private final PrintStream err;

  ReportCommand(PrintStream out, PrintStream err) {
    this.out = out;
    this.err = err;
  }

  @Override
  public ExitCode run(List<String> given) {
    return report(paths, folder);
  }

  /** Writes the report of runs to a folder, or to the default one if that is null. */
  ExitCode report(List<Path> paths, Path folder) {
    // Plots are drawn without a display.
    System.setProperty("java.awt.headless", "true");
    List<Run> runs = new ArrayList<>();
    boolean whole = true;
    for (Path path : paths) {
      try {
        Run run = Run.read(path);
        run.problems().forEach(this::say);
        whole &= run.problems().isEmpty();
        runs.add(run);
      } catch (IOException e) {
        say(FileFailure.message(e));
        whole = false;
      }
    }
    if (runs.isEmpty()) {
      return ExitCode.FAILED;
    }
    Path target = folder;
    try {
      target = folder != null ? folder : defaultFolder(runs);
      Report.of(runs).write(target);
      out.println(target.resolve("index.html"));
      return whole ? ExitCode.DONE : ExitCode.FAILED;
    } catch (FileSystemException e) {
      return refuse(
          "the report cannot be written to "
              + target
              + " ("
              + FileFailure.reason(e)
              + "); name another folder with -o DIR");
    } catch (IOException e) {
      return refuse("the report cannot be written: " + e.getMessage());
    }
  }

  private static Path defaultFolder(List<Run> runs) throws IOException {
    Path only = runs.get(0).path();
    if (runs.size() == 1 && Files.isDirectory(only)) {
      return only.resolve(ResultFolder.REPORT);
    }
    return runs.size() == 1 && PackedRun.isOne(only)
        ? PackedRun.reportFor(only)
        : Path.of(ResultFolder.REPORT);
  }

  private ExitCode refuse(String message) {
    say(message);
    return ExitCode.FAILED;
  }

  private void say(String message) {
    err.println("mitosis: " + message);
  }
}
