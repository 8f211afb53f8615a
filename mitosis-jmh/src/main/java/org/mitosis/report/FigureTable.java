// SPDX-License-Identifier: Apache-2.0
package org.mitosis.report;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import org.mitosis.result.Figure;
import org.mitosis.result.Run;
import org.mitosis.result.SelfTimed;
import org.mitosis.stats.SteadyState.Label;
import org.mitosis.stats.Summary;

/**
 * One figure of one benchmark, a row for each of its settings.
 *
 * @param title benchmark and figure
 * @param common the settings that all rows share
 * @param head names of the columns
 * @param left indices of the columns of text
 * @param rows one for each setting
 */
record FigureTable(
    String title, String common, List<String> head, Set<Integer> left, List<Row> rows) {

  /**
   * A row.
   *
   * @param cells as many as there are columns
   * @param failed whether a process of it gave no result
   */
  record Row(List<String> cells, boolean failed) {}

  static List<FigureTable> of(List<Run> runs, List<ReportedFigure> figures) {
    Map<String, List<ReportedFigure>> byTitle = new LinkedHashMap<>();
    for (ReportedFigure one : figures) {
      byTitle
          .computeIfAbsent(
              one.figure().shortName() + ", " + one.figure().metric(), key -> new ArrayList<>())
          .add(one);
    }
    List<FigureTable> tables = new ArrayList<>();
    byTitle.forEach((title, some) -> tables.add(table(title, runs, some)));
    return tables;
  }

  private static FigureTable table(String title, List<Run> runs, List<ReportedFigure> figures) {
    Set<String> varying = PlotName.varying(figures);
    Map<String, String> common = new TreeMap<>(figures.get(0).figure().setting());
    common.keySet().removeAll(varying);
    boolean published = figures.stream().anyMatch(one -> one.published().isPresent());
    List<String> head = new ArrayList<>();
    if (runs.size() > 1) {
      head.add("run");
    }
    head.add("of");
    head.addAll(varying);
    int textColumns = head.size();
    head.addAll(
        List.of("median", "interval", "p90", "p99", "p99.9", "max", "samples", "forks", "steady"));
    CountCost.known(varying, figures).forEach(cost -> head.add(cost.title()));
    if (published) {
      head.addAll(List.of("published", "ours/published"));
    }
    head.add("note");
    Set<Integer> left = new TreeSet<>();
    for (int column = 0; column < textColumns; column++) {
      left.add(column);
    }
    left.add(head.indexOf("steady"));
    left.add(head.size() - 1);
    List<Row> rows = new ArrayList<>();
    for (ReportedFigure one : figures) {
      rows.add(new Row(cells(one, runs, figures, published), one.failed()));
    }
    return new FigureTable(
        title, Figure.text(common).strip(), List.copyOf(head), Set.copyOf(left), rows);
  }

  private static List<String> cells(
      ReportedFigure one, List<Run> runs, List<ReportedFigure> together, boolean published) {
    Set<String> varying = PlotName.varying(together);
    Figure figure = one.figure();
    Summary summary = one.estimate().summary();
    List<String> cells = new ArrayList<>();
    if (runs.size() > 1) {
      cells.add(PlotName.run(one.run(), runs).replace(": ", ""));
    }
    cells.add(PlotName.trace(figure));
    varying.forEach(name -> cells.add(figure.setting().getOrDefault(name, Quantity.NOTHING)));
    cells.add(Quantity.of(one.estimate().median(), figure.unit()));
    cells.add(interval(one));
    cells.add(Quantity.of(summary.p90(), figure.unit()));
    cells.add(Quantity.of(summary.p99(), figure.unit()));
    cells.add(Quantity.of(summary.p999(), figure.unit()));
    cells.add(Quantity.of(summary.max(), figure.unit()));
    cells.add(Long.toString(summary.count()));
    cells.add(Integer.toString(figure.forks().size()));
    boolean tooShort =
        one.estimate().steady().stream().allMatch(state -> state.label() == Label.TOO_SHORT);
    cells.add(tooShort ? Quantity.NOTHING : one.estimate().steadyLabels());
    for (CountCost cost : CountCost.known(varying, together)) {
      cells.add(Quantity.of(cost.of(one, together).orElse(Double.NaN), figure.unit()));
    }
    if (published) {
      boolean known = one.published().isPresent();
      cells.add(
          known ? Quantity.of(one.published().getAsDouble(), figure.unit()) : Quantity.NOTHING);
      cells.add(
          known
              ? Quantity.ratio(one.estimate().median() / one.published().getAsDouble())
              : Quantity.NOTHING);
    }
    cells.add(note(one));
    return cells;
  }

  static String interval(ReportedFigure one) {
    return one.estimate()
        .interval()
        .map(
            interval ->
                Quantity.of(interval.low(), one.figure().unit())
                    + " to "
                    + Quantity.of(interval.high(), one.figure().unit())
                    + " ("
                    + Math.round(interval.confidence() * 100)
                    + " %)")
        .orElse(Quantity.NOTHING);
  }

  private static String note(ReportedFigure one) {
    List<String> notes = new ArrayList<>();
    if (one.failed()) {
      notes.add(one.shortfall());
    }
    if (!one.run().load(one.figure()).isReached()) {
      notes.add(one.run().load(one.figure()).note());
    }
    if (!one.run().disturbance(one.figure()).isEmpty()) {
      notes.add(one.run().disturbance(one.figure()));
    }
    one.figure().containers().stream()
        .filter(container -> container.contains("("))
        .map(container -> "weaker container: " + container)
        .forEach(notes::add);
    one.figure().containers().stream()
        .filter(container -> container.contains(SelfTimed.CHOSEN_MODE))
        .map(
            container ->
                container.substring(container.indexOf(SelfTimed.CHOSEN_MODE) + "; ".length()))
        .distinct()
        .forEach(notes::add);
    if (one.estimate().fewSamples()) {
      notes.add("few samples");
    }
    if (one.isBelowFloor()) {
      notes.add("below the noise floor");
    }
    if (one.estimate().steady().stream().anyMatch(state -> state.label() == Label.NONE)) {
      notes.add("no steady state");
    }
    return String.join(", ", notes);
  }

  /** The table in Markdown. */
  String markdown() {
    TextTable table = new TextTable(head, left);
    rows.forEach(row -> table.add(row.cells()));
    return table.markdown();
  }
}
