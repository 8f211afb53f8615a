// SPDX-License-Identifier: Apache-2.0
package org.mitosis.cli;

import java.io.IOException;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import org.mitosis.report.ExportFormat;
import org.mitosis.result.Run;

/** The command {@code export}: the figures of a run for services that follow them. */
final class ExportCommand {
  static final String HELP =
      """
      java -jar benchmarks.jar export --format FORMAT [-o FILE] RUN

      Prints the figures of RUN, the folder of a run or a packed one, as JSON: each metric by itself
      (prepare, resume, startup, ...), with the parameters in its name; times in ns, medians over
      the forks.

        --format customSmallerIsBetter   github-action-benchmark: times and sizes
        --format customBiggerIsBetter    github-action-benchmark: rates, such as peak
        --format bmf                     Bencher Metric Format, for bencher run --adapter json
        --format json                    all that is known of each figure, with parameters apart
        -o FILE                          write to FILE instead

      Exit code 0 if there was a figure, 1 if not. docs/ci.md has an example.
      """;

  private final PrintStream out;
  private final PrintStream err;

  ExportCommand(PrintStream out, PrintStream err) {
    this.out = out;
    this.err = err;
  }

  int run(String[] args) {
    if (args.length == 1 && List.of("--help", "-h").contains(args[0])) {
      out.print(HELP);
      return 0;
    }
    Optional<ExportFormat> format = Optional.empty();
    Path file = null;
    Path path = null;
    for (int i = 0; i < args.length; i++) {
      if (args[i].equals("--format") && i + 1 < args.length) {
        String word = args[++i];
        format = ExportFormat.of(word);
        if (format.isEmpty()) {
          List<String> words =
              Arrays.stream(ExportFormat.values()).map(ExportFormat::toString).toList();
          return refuse(
              "there is no format '"
                  + word
                  + "'"
                  + Spelling.hint(word, words)
                  + "; there are "
                  + String.join(", ", words));
        }
      } else if (args[i].equals("-o") && i + 1 < args.length) {
        file = Path.of(args[++i]);
      } else if (args[i].startsWith("-") || path != null) {
        return refuse("unexpected argument or missing value: " + args[i] + ": see export --help");
      } else {
        path = Path.of(args[i]);
      }
    }
    if (format.isEmpty() || path == null) {
      return refuse("export takes --format FORMAT and one run: see export --help");
    }
    try {
      return export(format.get(), path, file);
    } catch (IOException e) {
      return refuse(e.getMessage());
    }
  }

  private int export(ExportFormat format, Path path, Path file) throws IOException {
    Run run = Run.read(path);
    run.problems().forEach(problem -> err.println("mitosis: " + problem));
    String text = format.of(run);
    if (text.strip().replaceAll("\\s", "").length() <= 2) {
      return refuse(path + " has no figure for " + format);
    }
    if (file == null) {
      out.write(text.getBytes(StandardCharsets.UTF_8));
      out.flush();
    } else {
      Files.writeString(file, text);
    }
    return 0;
  }

  private int refuse(String message) {
    err.println("mitosis: " + message);
    return 1;
  }
}
