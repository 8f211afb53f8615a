// SPDX-License-Identifier: Apache-2.0
package org.mitosis.cli;

import java.io.IOException;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Iterator;
import java.util.List;
import org.mitosis.report.ExportFormat;
import org.mitosis.result.Run;
import org.mitosis.setting.ExitCode;
import picocli.CommandLine.Command;
import picocli.CommandLine.ITypeConverter;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.TypeConversionException;

/** The command {@code export}: the figures of a run for services that follow them. */
@Command(
    name = "export",
    header = "A run's figures for github-action-benchmark, Bencher and other programs.",
    description =
        "Prints the figures of RUN as JSON: each metric by itself (prepare, resume, startup, ...),"
            + " with the parameters in its name; times in ns, medians over the forks. It is a"
            + " failure if there is none. docs/ci.md has an example.")
final class ExportCommand implements BenchCommand {
  @Option(
      names = "--format",
      required = true,
      paramLabel = "FORMAT",
      converter = Format.class,
      completionCandidates = Formats.class,
      description = {
        "customSmallerIsBetter: github-action-benchmark, times and sizes",
        "customBiggerIsBetter: github-action-benchmark, rates, such as peak",
        "bmf: Bencher Metric Format, for bencher run --adapter json",
        "json: all that is known of each figure, with parameters apart"
      })
  private ExportFormat format;

  @Option(names = "-o", paramLabel = "FILE", description = "Write to FILE instead.")
  private Path file;

  @Parameters(paramLabel = "RUN", description = "The folder of a run, or a packed one.")
  private Path path;

  private final PrintStream out;
  private final PrintStream err;

  ExportCommand(PrintStream out, PrintStream err) {
    this.out = out;
    this.err = err;
  }

  @Override
  public ExitCode run(List<String> given) throws IOException {
    Run run = Run.read(path);
    run.problems().forEach(problem -> err.println("mitosis: " + problem));
    String text = format.of(run);
    if (text.strip().replaceAll("\\s", "").length() <= 2) {
      throw new IOException(path + " has no figure for " + format);
    }
    if (file == null) {
      out.write(text.getBytes(StandardCharsets.UTF_8));
      out.flush();
    } else {
      Files.writeString(file, text);
    }
    return ExitCode.DONE;
  }

  /** The names of all formats. */
  static final class Formats implements Iterable<String> {
    static final List<String> ALL =
        Arrays.stream(ExportFormat.values()).map(ExportFormat::toString).toList();

    @Override
    public Iterator<String> iterator() {
      return ALL.iterator();
    }
  }

  /** A format by its name. */
  static final class Format implements ITypeConverter<ExportFormat> {
    @Override
    public ExportFormat convert(String word) {
      return ExportFormat.of(word)
          .orElseThrow(
              () ->
                  new TypeConversionException(
                      "there is no format '"
                          + word
                          + "'"
                          + Spelling.hint(word, Formats.ALL)
                          + "; there are "
                          + String.join(", ", Formats.ALL)));
    }
  }
}
