// SPDX-License-Identifier: Apache-2.0
package org.mitosis.result;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.OptionalDouble;
import java.util.Set;
import java.util.TreeMap;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.mitosis.stats.Summary;

/**
 * The tables after a run, in the form of the MITOSIS artifact ({@code trace}, then the data): every
 * self-timed figure, beside the published one.
 *
 * <p>The median is that of {@link Estimate}. Times are in ms with at least three significant
 * digits. The spread, the distance between the quartiles as a share of the median, is shown from
 * three samples on.
 */
public final class ArtifactTable {
  private static final int FEWEST_SAMPLES_FOR_SPREAD = 3;
  private static final double NS_PER_MS = 1e6;

  /** Two figures of a benchmark that measures their ratio: the first over the second. */
  private static final Map<String, List<String>> RATIOS =
      Map.of(
          "PrepareOverFork.turnByTurn", List.of("prepare", "fork"),
          "PrepareOverFork.function", List.of("prepare", "fork"),
          "PrepareOverFork.jvm", List.of("prepare", "fork"),
          "HarnessOverhead.turnByTurn", List.of("driven", "alone"));

  private ArtifactTable() {}

  /**
   * The tables of a run.
   *
   * @param histograms the folder of its .hlog files
   * @param jmhJson JMH's results as JSON, for figures that are in no histogram: a nil call from
   *     Java, and rates
   * @param environment of the run
   * @return empty if there are no self-timed figures
   * @throws IOException if the folder cannot be read
   */
  public static String of(Path histograms, String jmhJson, Environment environment)
      throws IOException {
    HistogramLog.Contents contents = HistogramLog.read(histograms);
    List<String> warnings = new ArrayList<>(contents.warnings());
    List<Figure> scores =
        JmhJson.read("JMH's result", jmhJson.getBytes(StandardCharsets.UTF_8), warnings);
    return of(new HistogramLog.Contents(contents.series(), warnings), scores, environment);
  }

  /**
   * The tables of samples that were measured without JMH.
   *
   * @param histograms the folder of their .hlog files
   * @param caption names machine and backend
   * @param failed the benchmarks without a complete result
   * @return empty if there are none
   * @throws IOException if the folder cannot be read
   */
  public static String of(Path histograms, String caption, List<String> failed) throws IOException {
    HistogramLog.Contents contents = HistogramLog.read(histograms);
    List<String> warnings = new ArrayList<>(contents.warnings());
    List<Figure> figures = SelfTimedFigures.of(contents.series(), false, List.of(), warnings);
    return of(figures, List.of(), caption, failed, warnings);
  }

  static String of(HistogramLog.Contents contents, List<Figure> scores, Environment environment) {
    List<String> warnings = new ArrayList<>(contents.warnings());
    boolean killed = environment.outcome().isWithoutEnd();
    List<Figure> selfTimed = SelfTimedFigures.of(contents.series(), killed, scores, warnings);
    return of(selfTimed, scores, caption(environment), environment.failed(), warnings);
  }

  private static String of(
      List<Figure> selfTimed,
      List<Figure> scores,
      String caption,
      List<String> failures,
      List<String> warnings) {
    if (selfTimed.isEmpty() && warnings.isEmpty()) {
      return "";
    }
    List<Row> rows =
        selfTimed.stream()
            .filter(figure -> !figure.forks().isEmpty())
            .sorted(Comparator.comparing(Figure::params, TableParameters.ORDER))
            .map(figure -> new Row(figure, Estimate.of(figure), Disturbance.of(figure, scores)))
            .toList();
    Map<String, List<Row>> byFigure = new TreeMap<>();
    for (Row row : rows) {
      String title = row.figure().shortName() + ", " + row.figure().metric();
      byFigure.computeIfAbsent(title, key -> new ArrayList<>()).add(row);
    }
    StringBuilder text = new StringBuilder("\n" + caption + "\n");
    byFigure.forEach((title, some) -> text.append(figures(title, some)));
    text.append(ratios(rows));
    Set<Figure.Key> known = new HashSet<>();
    List<Figure> all = new ArrayList<>(selfTimed);
    all.forEach(figure -> known.add(figure.key()));
    scores.stream().filter(score -> known.add(score.key())).forEach(all::add);
    text.append(JvmTable.of(all));
    text.append(ScoreTables.of(all));
    for (String failed : failures) {
      text.append("\nFailed, so figures of it are incomplete: ").append(failed).append('\n');
    }
    warnings.forEach(warning -> text.append('\n').append(warning).append('\n'));
    return text.toString();
  }

  private static String caption(Environment environment) {
    return "Self-timed in parent, child or launcher (CLOCK_MONOTONIC), ms; backend "
        + environment.backend().chosen()
        + "; "
        + known(environment.machine().kernel().name())
        + " "
        + known(environment.machine().kernel().release())
        + "; "
        + known(environment.machine().cpu().model())
        + "; valNN: published median (results/reference)";
  }

  private static String known(String value) {
    return value == null ? "unknown" : value;
  }

  /** A figure and its statistics. */
  private record Row(Figure figure, Estimate estimate, String disturbance) {
    double medianMs() {
      return estimate.median() / NS_PER_MS;
    }

    /** What is missing of it; empty if nothing is. */
    String note() {
      return Stream.of(figure.shortfall(), estimate.fewSamples() ? "few samples" : "", disturbance)
          .filter(text -> !text.isEmpty())
          .collect(Collectors.joining(", "));
    }
  }

  private static String figures(String title, List<Row> figures) {
    Figure first = figures.get(0).figure();
    ReferenceFigures published =
        ReferenceFigures.ofBenchmark(first.shortName(), first.metric()).orElse(null);
    TableParameters parameters =
        TableParameters.of(figures.stream().map(one -> one.figure().params()).toList());
    boolean notes = figures.stream().anyMatch(one -> !one.note().isEmpty());
    List<List<String>> rows = new ArrayList<>();
    List<String> head = new ArrayList<>(parameters.head());
    head.addAll(List.of("median", "p99", "spread", "samples"));
    if (published != null) {
      head.addAll(List.of(published.hosts(), "ours/" + published.hosts()));
    }
    if (notes) {
      head.add("note");
    }
    rows.add(head);
    for (Row one : figures) {
      Summary summary = one.estimate().summary();
      List<String> row = new ArrayList<>(parameters.cells(one.figure().params()));
      row.add(TableText.ms(one.medianMs()));
      row.add(TableText.ms(summary.p99() / NS_PER_MS));
      row.add(spread(summary));
      row.add(Long.toString(summary.count()));
      if (published != null) {
        OptionalDouble theirs =
            published.medianMs(TableParameters.trace(one.figure().params()), one.figure().metric());
        row.add(theirs.isPresent() ? TableText.ms(theirs.getAsDouble()) : TableText.NOTHING);
        row.add(
            theirs.isPresent()
                ? TableText.significant(one.medianMs() / theirs.getAsDouble(), 0)
                : TableText.NOTHING);
      }
      if (notes) {
        row.add(one.note());
      }
      rows.add(row);
    }
    String difference =
        published == null
            ? ""
            : ReferenceFigures.difference(first.metric()).map(text -> text + "\n").orElse("");
    return "\n" + title + parameters.common() + "\n" + TableText.aligned(rows) + difference;
  }

  /** One table for each benchmark that measures a ratio. */
  private static String ratios(List<Row> all) {
    StringBuilder text = new StringBuilder();
    RATIOS.forEach(
        (benchmark, metrics) -> {
          Map<Map<String, String>, Map<String, Row>> byParameters = new LinkedHashMap<>();
          for (Row row : all) {
            if (row.figure().shortName().equals(benchmark)) {
              byParameters
                  .computeIfAbsent(row.figure().params(), key -> new TreeMap<>())
                  .put(row.figure().metric(), row);
            }
          }
          List<List<String>> rows = new ArrayList<>();
          byParameters.forEach((parameters, some) -> ratio(rows, metrics, parameters, some));
          if (!rows.isEmpty()) {
            rows.add(0, List.of("trace", metrics.get(0), metrics.get(1), "ratio"));
            text.append('\n')
                .append(benchmark)
                .append(", ")
                .append(String.join(" / ", metrics))
                .append(" (medians)\n")
                .append(TableText.aligned(rows));
          }
        });
    return text.toString();
  }

  private static void ratio(
      List<List<String>> rows,
      List<String> metrics,
      Map<String, String> parameters,
      Map<String, Row> byMetric) {
    Row upper = byMetric.get(metrics.get(0));
    Row lower = byMetric.get(metrics.get(1));
    if (upper != null && lower != null) {
      double upperNs = upper.estimate().median();
      double lowerNs = lower.estimate().median();
      rows.add(
          List.of(
              TableParameters.trace(parameters),
              TableText.ms(upperNs / NS_PER_MS),
              TableText.ms(lowerNs / NS_PER_MS),
              lowerNs == 0 ? TableText.NOTHING : TableText.significant(upperNs / lowerNs, 0)));
    }
  }

  private static String spread(Summary summary) {
    return summary.count() < FEWEST_SAMPLES_FOR_SPREAD
        ? TableText.NOTHING
        : TableText.significant(summary.spread() * 100, 0) + " %";
  }
}
