// SPDX-License-Identifier: Apache-2.0
package org.mitosis.report;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.stream.Collectors;
import org.mitosis.result.Figure;
import org.mitosis.result.Run;
import org.mitosis.setting.ParameterNames;
import org.mitosis.stats.Comparison;
import org.mitosis.stats.Interval;

/** A comparison of two runs as text, like benchstat's: one table for each group of rows. */
public final class ComparisonTable {
  private static final List<String> HEAD =
      List.of("", "old", "new", "new/old", "interval", "p", "delta", "findable", "");

  private final RunComparison comparison;
  private final List<String> by;

  /**
   * A table of a comparison.
   *
   * @param by the parameters whose values make a group; empty for one group for each benchmark and
   *     metric
   */
  public ComparisonTable(RunComparison comparison, List<String> by) {
    this.comparison = comparison;
    this.by = List.copyOf(by);
  }

  /** The whole text. */
  public String text() {
    return text(false);
  }

  /** The whole text, with tables in Markdown. */
  public String markdown() {
    return text(true);
  }

  private String text(boolean markdown) {
    StringBuilder text = new StringBuilder();
    text.append("old: ").append(comparison.old().path()).append('\n');
    text.append("new: ").append(comparison.now().path()).append('\n');
    groups().forEach((title, rows) -> text.append('\n').append(group(title, rows, markdown)));
    legend(text);
    only(text, "only in old", comparison.onlyOld());
    only(text, "only in new", comparison.onlyNow());
    comparison
        .old()
        .failed()
        .forEach(name -> text.append("failed in old: ").append(name).append('\n'));
    comparison
        .now()
        .failed()
        .forEach(name -> text.append("failed in new: ").append(name).append('\n'));
    return text.toString();
  }

  private Map<String, List<RunComparison.Row>> groups() {
    return sorted(comparison.rows()).stream()
        .collect(
            Collectors.groupingBy(
                row -> titleOf(row.figure()), LinkedHashMap::new, Collectors.toList()));
  }

  private String titleOf(Figure figure) {
    if (by.isEmpty()) {
      return figure.shortName() + ", " + figure.metric();
    }
    return by.stream()
        .map(name -> name + "=" + figure.params().getOrDefault(name, Quantity.NOTHING))
        .collect(Collectors.joining(" "));
  }

  private String group(String title, List<RunComparison.Row> rows, boolean markdown) {
    Map<String, String> common = commonTo(rows);
    TextTable table = new TextTable(HEAD, Set.of(0, 8));
    for (RunComparison.Row row : rows) {
      table.add(cells(row, common.keySet()));
    }
    if (rows.size() > 1) {
      table.add(geometricMean(rows));
    }
    common.keySet().removeAll(by);
    return (markdown ? "### " : "")
        + title
        + (common.isEmpty() ? "" : " (" + Figure.text(common).strip() + ")")
        + (markdown ? "\n\n" + table.markdown() : "\n" + table.plain());
  }

  private List<String> cells(RunComparison.Row row, Set<String> common) {
    Figure figure = row.figure();
    Comparison values = row.comparison();
    return List.of(
        label(figure, common),
        Quantity.of(values.old(), figure.unit()),
        Quantity.of(values.now(), figure.unit()),
        Quantity.ratio(values.ratio()),
        comparison.intervalOf(row).map(ComparisonTable::text).orElse(Quantity.NOTHING),
        Quantity.pValue(row.adjusted()),
        Double.isNaN(values.delta())
            ? Quantity.NOTHING
            : String.format(Locale.ROOT, "%+.2f", values.delta()),
        findable(row),
        verdict(row));
  }

  private static String findable(RunComparison.Row row) {
    return Double.isFinite(row.findable())
        ? String.format(Locale.ROOT, "%.1f %%", row.findable() * 100)
        : "none";
  }

  private String label(Figure figure, Set<String> common) {
    Map<String, String> params = new TreeMap<>(figure.params());
    params.keySet().removeAll(common);
    params.keySet().removeAll(by);
    List<String> parts = new ArrayList<>();
    if (!by.isEmpty()) {
      parts.add(figure.shortName() + ", " + figure.metric());
    }
    params.forEach(
        (name, value) ->
            parts.add(
                name.equals(ParameterNames.MEMORY_SIZE) && figure.memoryBytes().isPresent()
                    ? Quantity.bytes(figure.memoryBytes().get())
                    : name.equals(ParameterNames.FUNCTION_NAME) ? value : name + "=" + value));
    return parts.isEmpty() ? "all" : String.join(" ", parts);
  }

  private static String verdict(RunComparison.Row row) {
    String verdict =
        switch (row.verdict()) {
          case UNSURE -> "~";
          case BETTER -> change(row) + " better";
          case WORSE -> change(row) + " worse";
        };
    if (row.withheld()) {
      verdict += ", within the change of the machine";
    }
    if (row.fewSamples()) {
      verdict += ", few samples";
    }
    if (row.isControl()) {
      verdict += ", control";
    }
    return row.failed() ? verdict + ", " + row.shortfall() : verdict;
  }

  private static String change(RunComparison.Row row) {
    return String.format(Locale.ROOT, "%+.1f %%", (row.comparison().ratio() - 1) * 100);
  }

  private static List<String> geometricMean(List<RunComparison.Row> rows) {
    double mean =
        Math.exp(
            rows.stream()
                .mapToDouble(row -> Math.log(row.comparison().ratio()))
                .average()
                .orElse(Double.NaN));
    boolean failed = rows.stream().anyMatch(RunComparison.Row::failed);
    return List.of(
        "geometric mean",
        "",
        "",
        Quantity.ratio(mean),
        "",
        "",
        "",
        "",
        failed ? "includes a failed one" : "");
  }

  private static Map<String, String> commonTo(List<RunComparison.Row> rows) {
    Map<String, String> common = new TreeMap<>(rows.get(0).figure().params());
    if (rows.size() == 1) {
      return new TreeMap<>(
          common.entrySet().stream()
              .filter(
                  one ->
                      !List.of(ParameterNames.MEMORY_SIZE, ParameterNames.FUNCTION_NAME)
                          .contains(one.getKey()))
              .collect(Collectors.toMap(Map.Entry::getKey, Map.Entry::getValue)));
    }
    rows.forEach(row -> common.entrySet().retainAll(row.figure().params().entrySet()));
    return common;
  }

  private static String text(Interval interval) {
    return String.format(Locale.ROOT, "%.3f to %.3f", interval.low(), interval.high());
  }

  private void legend(StringBuilder text) {
    if (comparison.rows().isEmpty()) {
      return;
    }
    text.append(
        "\n"
            + "new/old: of the medians of the forks' medians; interval: of that ratio, 95 %, by"
            + " Welch's t on the logarithms of the forks' medians\n"
            + "p: of the same model, corrected over "
            + comparison.rows().size()
            + " figures ("
            + comparison.correction()
            + "); delta: Cliff's, -1 all less, +1 all more\n"
            + "findable: the smallest change that these forks show in 9 of 10 comparisons; 'none':"
            + " no difference can be found with them\n"
            + "~: no difference shown: p is not below 0.05, or the difference is below the noise"
            + " floor; few samples: a fork has fewer than five, so no verdict\n");
    if (comparison.hasControls()) {
      text.append(
          "control: no version of this program changes it, so that a difference is the"
              + " machine's\n");
    } else {
      text.append(
          "no control ("
              + String.join(", ", RunComparison.CONTROLS)
              + ") is in both runs: a change of the machine between them does not show\n");
    }
    if (comparison.drift() > 0) {
      text.append(
          String.format(
              Locale.ROOT,
              "warning: the machine changed: controls differ by %.1f %%; the other intervals are"
                  + " widened by it, and a change within it has no verdict%n",
              comparison.drift() * 100));
    }
    disturbed(text, "old", comparison.old());
    disturbed(text, "new", comparison.now());
    if (comparison.fewestForks() < Comparison.FEWEST) {
      text.append(
          "warning: a figure has one fork on a side, so no interval and no verdict; run with -f 6"
              + " or more, or see compare --plan\n");
    }
  }

  private void disturbed(StringBuilder text, String side, Run run) {
    Set<Figure.Key> compared =
        comparison.rows().stream().map(row -> row.figure().key()).collect(Collectors.toSet());
    List<String> marks =
        run.figures().stream()
            .filter(figure -> compared.contains(figure.key()))
            .map(run::disturbance)
            .filter(mark -> !mark.isEmpty())
            .toList();
    if (!marks.isEmpty()) {
      text.append(
          String.format(
              Locale.ROOT,
              "warning: in %s the machine took time from %d of %d figures, such as: %s%n",
              side,
              marks.size(),
              comparison.rows().size(),
              marks.get(0)));
    }
  }

  private static void only(StringBuilder text, String where, List<Figure> figures) {
    figures.stream()
        .collect(
            Collectors.groupingBy(
                figure -> figure.shortName() + ", " + figure.metric(),
                LinkedHashMap::new,
                Collectors.counting()))
        .forEach(
            (name, count) ->
                text.append(where)
                    .append(": ")
                    .append(name)
                    .append(count == 1 ? "" : " (" + count + ")")
                    .append('\n'));
  }

  private static List<RunComparison.Row> sorted(List<RunComparison.Row> rows) {
    return rows.stream()
        .sorted(Comparator.comparing(RunComparison.Row::figure, FigureOrder.BY_NAME))
        .toList();
  }
}
