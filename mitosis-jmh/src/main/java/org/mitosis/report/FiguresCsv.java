// SPDX-License-Identifier: Apache-2.0
package org.mitosis.report;

import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.OptionalDouble;
import java.util.TreeSet;
import java.util.stream.Collectors;
import org.mitosis.stats.Interval;
import org.mitosis.stats.Summary;

/**
 * All figures as comma-separated values (RFC 4180), one line each; times in ns, parameters in
 * columns of their own, whose names begin with {@code param.}.
 */
final class FiguresCsv {
  private static final List<String> COLUMNS =
      List.of(
          "metric",
          "unit",
          "median",
          "low",
          "high",
          "confidence",
          "p90",
          "p99",
          "p999",
          "max",
          "samples",
          "forks",
          "forks_asked",
          "steady",
          "published",
          "published_on",
          "floor",
          "failed",
          "few_samples",
          "format");

  /** The version of this format, in its last column; files without it are of version 1. */
  private static final int FORMAT = 2;

  private FiguresCsv() {}

  static String of(List<ReportedFigure> figures) {
    TreeSet<String> params = new TreeSet<>();
    figures.forEach(one -> params.addAll(one.figure().params().keySet()));
    List<String> head = new ArrayList<>(List.of("run", "benchmark"));
    params.forEach(name -> head.add("param." + name));
    head.addAll(COLUMNS);
    StringBuilder text = new StringBuilder(line(head));
    for (ReportedFigure one : figures) {
      List<String> cells = new ArrayList<>(List.of(one.run().name(), one.figure().benchmark()));
      params.forEach(name -> cells.add(one.figure().params().getOrDefault(name, "")));
      Summary summary = one.estimate().summary();
      cells.add(one.figure().metric());
      cells.add(one.figure().unit());
      cells.add(number(one.estimate().median()));
      cells.add(number(one.estimate().interval().map(Interval::low)));
      cells.add(number(one.estimate().interval().map(Interval::high)));
      cells.add(number(one.estimate().interval().map(Interval::confidence)));
      cells.add(number(summary.p90()));
      cells.add(number(summary.p99()));
      cells.add(number(summary.p999()));
      cells.add(number(summary.max()));
      cells.add(Long.toString(summary.count()));
      cells.add(Integer.toString(one.figure().forks().size()));
      cells.add(one.figure().forksAsked() == 0 ? "" : "" + one.figure().forksAsked());
      cells.add(one.estimate().steadyLabels());
      cells.add(number(one.published()));
      cells.add(one.publishedHosts());
      cells.add(one.floor() > 0 ? number(one.floor()) : "");
      cells.add(Boolean.toString(one.failed()));
      cells.add(Boolean.toString(one.estimate().fewSamples()));
      cells.add(Integer.toString(FORMAT));
      text.append(line(cells));
    }
    return text.toString();
  }

  static String number(Optional<Double> value) {
    return value.map(FiguresCsv::number).orElse("");
  }

  private static String number(OptionalDouble value) {
    return value.isPresent() ? number(value.getAsDouble()) : "";
  }

  static String number(double value) {
    return Double.isFinite(value) ? Quantity.trimmed(value) : "";
  }

  static String line(List<String> cells) {
    return cells.stream().map(FiguresCsv::quoted).collect(Collectors.joining(",", "", "\r\n"));
  }

  private static String quoted(String cell) {
    return cell.matches("(?s).*[\",\r\n].*") ? '"' + cell.replace("\"", "\"\"") + '"' : cell;
  }
}
