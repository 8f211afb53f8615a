// SPDX-License-Identifier: Apache-2.0
package org.mitosis.report;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.math.BigDecimal;
import java.math.MathContext;
import java.nio.charset.StandardCharsets;
import java.nio.file.FileSystem;
import java.nio.file.FileSystems;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.function.Function;
import java.util.regex.MatchResult;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.mitosis.fixture.MemorySize;
import org.mitosis.result.Environment;
import org.mitosis.result.Estimate;
import org.mitosis.result.Figure;
import org.mitosis.result.ReferenceFigures;
import org.mitosis.result.Run;

/**
 * Blocks of a document that are made from a packed run in {@code results/}: a comment with the name
 * of the run and a template, the text that is made of it, and {@code <!-- end -->}.
 *
 * <p>In a template, <code>{Benchmark.method metric value...}</code> stands for the median in ms of
 * the only figure with these values among its parameters; <code>{a / b}</code> for a ratio, in
 * which {@code b} may leave out the benchmark of {@code a}; <code>{a in us}</code> or {@code ns} or
 * {@code rate} for another unit; <code>{published Benchmark.method metric trace}</code> for a
 * published median in ms; <code>{cpu}</code>, <code>{cpus}</code>, <code>{kernel}</code>, <code>
 * {java}</code>, <code>{forks}</code> and <code>
 * {date}</code> for what the run has of them. A line {@code each value...} repeats the next line,
 * with each value for {@code *}. A line {@code table TITLE: value...} is the head of that table in
 * table.txt, and its rows of these values.
 */
final class MeasuredText {
  private static final Pattern BLOCK =
      Pattern.compile("(?ms)^(<!-- measured (\\S+)\\n(.*?)^-->\\n)(.*?)^<!-- end -->$");
  private static final Pattern FIELD = Pattern.compile("\\{([^{}]+)\\}");
  private static final Pattern TABLE = Pattern.compile("( *)table ([^:]+): (.+)");

  /** A command in a sentence, whose numbers are its options. */
  private static final Pattern CODE = Pattern.compile("`[^`]+`");

  /** A number with a unit of time, or a rate. */
  private static final Pattern FIGURE =
      Pattern.compile(
          "\\b[0-9][0-9.,]* ?(?:(?:ns|us|ms)/op|ops/s|ns|us|µs|ms|s|min|minutes|hours|times|a"
              + " second)(?![\\w-])");

  private static final Map<String, Double> UNITS =
      Map.of("ms", 1e6, "us", 1e3, "ns", 1.0, "rate", 1.0);

  private final Function<String, Path> packed;
  private final Map<String, Run> runs = new HashMap<>();

  /**
   * Reads runs as far as documents name them.
   *
   * @param packed the file of a run by its name
   */
  MeasuredText(Function<String, Path> packed) {
    this.packed = packed;
  }

  /** The document with the text of each block made again. */
  String rendered(String document) {
    return BLOCK
        .matcher(document)
        .replaceAll(
            block ->
                Matcher.quoteReplacement(
                    block.group(1) + text(block.group(2), block.group(3)) + "<!-- end -->"));
  }

  /** The runs that a document names. */
  static List<String> runsOf(String document) {
    return BLOCK.matcher(document).results().map(block -> block.group(2)).distinct().toList();
  }

  /** The figures of a document that are in no block. */
  static List<String> figuresOutside(String document) {
    String rest = CODE.matcher(BLOCK.matcher(document).replaceAll("")).replaceAll("");
    return FIGURE.matcher(rest).results().map(MatchResult::group).toList();
  }

  private String text(String name, String template) {
    Run run = runs.computeIfAbsent(name, this::read);
    StringBuilder text = new StringBuilder();
    String[] each = null;
    for (String line : template.split("\n")) {
      Matcher table = TABLE.matcher(line);
      if (line.startsWith("each ")) {
        each = line.substring("each ".length()).split(" ");
      } else if (table.matches()) {
        rows(name, table.group(2), List.of(table.group(3).split(" ")))
            .forEach(row -> text.append(table.group(1)).append(row).append('\n'));
      } else if (each != null) {
        for (String value : each) {
          text.append(line(run, line.replace("{*}", shown(value)).replace("*", value)));
        }
        each = null;
      } else {
        text.append(line(run, line));
      }
    }
    return text.toString();
  }

  private Run read(String name) {
    try {
      return Run.read(packed.apply(name));
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private static String line(Run run, String line) {
    return FIELD
            .matcher(line)
            .replaceAll(field -> Matcher.quoteReplacement(value(run, field.group(1).strip())))
        + "\n";
  }

  /** A size with its unit, and anything else as it is. */
  private static String shown(String value) {
    return value.matches("[0-9]+[mg]") ? value.replace("m", " MiB").replace("g", " GiB") : value;
  }

  private static String value(Run run, String field) {
    Environment environment = run.environment().orElseThrow();
    switch (field) {
      case "cpu":
        return environment.machine().cpu().model();
      case "cpus":
        return environment.machine().cpu().logical().toString();
      case "kernel":
        return "Linux "
            + environment.machine().kernel().release().replaceFirst("[.-]?[0-9]*-.*", "");
      case "java":
        return "JDK " + environment.jvm().version().replaceFirst("\\..*", "");
      case "date":
        return environment.started().substring(0, "2026-11-29".length());
      case "forks":
        return Integer.toString(
            run.figures().stream().mapToInt(Figure::forksAsked).max().orElseThrow());
      default:
        return number(run, field);
    }
  }

  private static String number(Run run, String field) {
    String unit = field.matches(".* in \\w+") ? field.replaceFirst(".* in ", "") : "ms";
    String what = field.replaceFirst(" in \\w+$", "");
    if (what.startsWith("published ")) {
      return significant(published(what.substring("published ".length())));
    }
    String[] operands = what.split(" / ");
    if (operands.length == 2) {
      String lower =
          operands[1].split(" ")[0].contains(".")
              ? operands[1]
              : operands[0].split(" ")[0] + " " + operands[1];
      return String.format(Locale.ROOT, "%.2f", median(run, operands[0]) / median(run, lower));
    }
    Figure figure = figure(run, what);
    String shortfall = figure.shortfall();
    return significant(Estimate.of(figure).median() / UNITS.get(unit))
        + (shortfall.isEmpty() ? "" : " (" + shortfall + ")");
  }

  /** Of {@code Benchmark.method metric trace}, which the run need not have. */
  private static double published(String what) {
    String[] words = what.split(" ");
    return ReferenceFigures.ofBenchmark(words[0], words[1])
        .orElseThrow()
        .medianMs(bytes(words[2]), words[1])
        .orElseThrow();
  }

  private static double median(Run run, String what) {
    return Estimate.of(figure(run, what)).median();
  }

  /** The only figure of this name and with these values. */
  private static Figure figure(Run run, String what) {
    List<String> words = List.of(what.split(" "));
    List<String> values = words.subList(2, words.size()).stream().map(MeasuredText::bytes).toList();
    List<Figure> found =
        run.figures().stream()
            .filter(figure -> figure.shortName().equals(words.get(0)))
            .filter(figure -> figure.metric().equals(words.get(1)))
            .filter(figure -> figure.params().values().containsAll(values))
            .toList();
    if (found.size() != 1) {
      throw new IllegalArgumentException(
          run.name() + " has " + found.size() + " figures {" + what + "}, must be one");
    }
    return found.get(0);
  }

  private static String bytes(String value) {
    return value.matches("[0-9]+[mg]") ? MemorySize.parse(value).toString() : value;
  }

  private static String significant(double value) {
    return BigDecimal.valueOf(value).round(new MathContext(3)).toPlainString();
  }

  /** Title, head and some rows of a table in table.txt. */
  private List<String> rows(String name, String title, List<String> values) {
    List<String> all = printed(name).lines().toList();
    int at = 0;
    while (at < all.size() && !all.get(at).matches(Pattern.quote(title) + "( \\(.*)?")) {
      at++;
    }
    if (at == all.size()) {
      throw new IllegalArgumentException("table.txt of " + name + " has no table '" + title + "'");
    }
    List<String> rows = new ArrayList<>(all.subList(at, at + 3));
    List<String> traces = values.stream().map(MeasuredText::bytes).toList();
    for (int i = at + 3; i < all.size() && !all.get(i).isBlank(); i++) {
      if (traces.contains(all.get(i).strip().split(" ")[0])) {
        rows.add(all.get(i));
      }
    }
    return rows;
  }

  private String printed(String name) {
    try (FileSystem zip = FileSystems.newFileSystem(packed.apply(name))) {
      return Files.readString(zip.getPath(name, "table.txt"), StandardCharsets.UTF_8);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}
