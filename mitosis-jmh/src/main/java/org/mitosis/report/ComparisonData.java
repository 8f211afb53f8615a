// SPDX-License-Identifier: Apache-2.0
package org.mitosis.report;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.TreeSet;
import org.mitosis.result.Run;
import org.mitosis.stats.Comparison;
import org.mitosis.stats.Interval;

/**
 * A comparison for other programs: JSON, or comma-separated values (RFC 4180). Times are in ns, and
 * changes are shares.
 */
public final class ComparisonData {
  /** The version of both formats. */
  public static final int FORMAT = 1;

  private static final List<String> COLUMNS =
      List.of(
          "metric",
          "unit",
          "old",
          "new",
          "ratio",
          "low",
          "high",
          "p",
          "delta",
          "findable",
          "verdict",
          "few_samples",
          "shortfall");

  private ComparisonData() {}

  /** As one JSON object. A number that is not known is null. */
  public static String json(RunComparison comparison) {
    ObjectNode root = new ObjectMapper().createObjectNode().put("format", FORMAT);
    root.put("old", comparison.old().name()).put("new", comparison.now().name());
    root.put("correction", comparison.correction().option());
    number(root, "machineChange", comparison.drift());
    warnings(root.putArray("oldWarnings"), comparison.old());
    warnings(root.putArray("newWarnings"), comparison.now());
    comparison.newlyFailed().forEach(root.putArray("newlyFailed")::add);
    ArrayNode rows = root.putArray("rows");
    for (RunComparison.Row row : comparison.rows()) {
      ObjectNode one = rows.addObject().put("benchmark", row.figure().benchmark());
      row.figure().params().forEach(one.putObject("params")::put);
      one.put("metric", row.figure().metric()).put("unit", row.figure().unit());
      Comparison values = row.comparison();
      Optional<Interval> interval = comparison.intervalOf(row);
      number(one, "old", values.old());
      number(one, "new", values.now());
      number(one, "ratio", values.ratio());
      number(one, "low", interval.map(Interval::low).orElse(Double.NaN));
      number(one, "high", interval.map(Interval::high).orElse(Double.NaN));
      number(one, "p", row.adjusted());
      number(one, "delta", values.delta());
      number(one, "findable", row.findable());
      one.put("verdict", verdict(row)).put("fewSamples", row.fewSamples());
      one.put("control", row.isControl()).put("withheld", row.withheld());
      one.put("shortfall", row.shortfall());
    }
    return root.toPrettyString() + "\n";
  }

  /** As one line for each figure, below a line of names. */
  public static String csv(RunComparison comparison) {
    TreeSet<String> params = new TreeSet<>();
    comparison.rows().forEach(row -> params.addAll(row.figure().params().keySet()));
    List<String> head = new ArrayList<>(List.of("format", "benchmark"));
    params.forEach(name -> head.add("param." + name));
    head.addAll(COLUMNS);
    StringBuilder text = new StringBuilder(FiguresCsv.line(head));
    for (RunComparison.Row row : comparison.rows()) {
      Comparison values = row.comparison();
      Optional<Interval> interval = comparison.intervalOf(row);
      List<String> cells = new ArrayList<>();
      cells.add(Integer.toString(FORMAT));
      cells.add(row.figure().benchmark());
      params.forEach(name -> cells.add(row.figure().params().getOrDefault(name, "")));
      cells.add(row.figure().metric());
      cells.add(row.figure().unit());
      cells.add(FiguresCsv.number(values.old()));
      cells.add(FiguresCsv.number(values.now()));
      cells.add(FiguresCsv.number(values.ratio()));
      cells.add(FiguresCsv.number(interval.map(Interval::low)));
      cells.add(FiguresCsv.number(interval.map(Interval::high)));
      cells.add(FiguresCsv.number(row.adjusted()));
      cells.add(FiguresCsv.number(values.delta()));
      cells.add(FiguresCsv.number(row.findable()));
      cells.add(verdict(row));
      cells.add(Boolean.toString(row.fewSamples()));
      cells.add(row.shortfall());
      text.append(FiguresCsv.line(cells));
    }
    return text.toString();
  }

  private static String verdict(RunComparison.Row row) {
    return row.verdict().name().toLowerCase(Locale.ROOT);
  }

  private static void warnings(ArrayNode list, Run run) {
    Report.warnings(run).forEach(list::add);
  }

  private static void number(ObjectNode node, String name, double value) {
    if (Double.isFinite(value)) {
      node.put(name, value);
    } else {
      node.putNull(name);
    }
  }
}
