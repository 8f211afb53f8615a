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

/** The command {@code report}: pages, tables and plots of runs. */
final class ReportCommand {
  static final String HELP =
      """
      java -jar benchmarks.jar report [-o DIR] RUN...

      RUN is the folder of a run, a .zip of one (see pack), or a JSON file of JMH.
      Several are shown together.
      Writes index.html (one file, which needs no network), report.md, figures.csv, plots/ with each
      figure as SVG, PDF and PNG, and of a single run figures.jmh.json, which programs that read JMH's
      results read: github-action-benchmark (tool: jmh), Bencher (java_jmh).

        -o DIR    the folder to write to; by default the folder report in RUN, NAME-report beside NAME.zip, or
                  ./report of several

      Exit code 0 if everything was read and written, 1 if not; the report has all that could be read.
      """;

  private final PrintStream out;
  private final PrintStream err;

  ReportCommand(PrintStream out, PrintStream err) {
    this.out = out;
    this.err = err;
  }

  int run(String[] args) {
    if (args.length == 1 && List.of("--help", "-h").contains(args[0])) {
      out.print(HELP);
      return 0;
    }
    // Plots are drawn without a display.
    System.setProperty("java.awt.headless", "true");
    List<Path> paths = new ArrayList<>();
    Path folder = null;
    for (int i = 0; i < args.length; i++) {
      if (args[i].equals("-o") && i + 1 < args.length) {
        folder = Path.of(args[++i]);
      } else if (args[i].startsWith("-")) {
        return refuse(
            "report: unknown option or missing value: " + args[i] + ": see report --help");
      } else {
        paths.add(Path.of(args[i]));
      }
    }
    if (paths.isEmpty()) {
      return refuse("report takes at least one folder of a run: see report --help");
    }
    return report(paths, folder);
  }

  private int report(List<Path> paths, Path folder) {
    List<Run> runs = new ArrayList<>();
    boolean whole = true;
    for (Path path : paths) {
      try {
        Run run = Run.read(path);
        run.problems().forEach(this::say);
        whole &= run.problems().isEmpty();
        runs.add(run);
      } catch (IOException e) {
        say(e.getMessage());
        whole = false;
      }
    }
    if (runs.isEmpty()) {
      return 1;
    }
    Path target = folder;
    try {
      target = folder != null ? folder : defaultFolder(runs);
      Report.of(runs).write(target);
      out.println(target.resolve("index.html"));
      return whole ? 0 : 1;
    } catch (FileSystemException e) {
      return refuse(
          "the report cannot be written to "
              + target
              + " ("
              + e.getMessage()
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

  private int refuse(String message) {
    say(message);
    return 1;
  }

  private void say(String message) {
    err.println("mitosis: " + message);
  }
}
