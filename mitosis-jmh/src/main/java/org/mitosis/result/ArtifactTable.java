// SPDX-License-Identifier: Apache-2.0
package org.mitosis.result;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.OptionalDouble;
import java.util.TreeMap;
import org.mitosis.stats.Summary;

/**
 * The tables after a run, in the form of the MITOSIS artifact ({@code trace}, then the data): every
 * self-timed figure, beside the published one.
 *
 * <p>Times are in ms with at least three significant digits. The spread, the distance between the
 * quartiles as a share of the median, is shown from three samples on.
 */
public final class ArtifactTable {
  private static final int FEWEST_SAMPLES_FOR_SPREAD = 3;
  private static final double NS_PER_MS = 1e6;

  /** Two figures of a benchmark that measures their ratio: the first over the second. */
  private static final Map<String, List<String>> RATIOS =
      Map.of(
          "PrepareOverFork.turnByTurn", List.of("prepare", "fork"),
          "PrepareOverFork.function", List.of("prepare", "fork"),
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
    boolean killed = environment.outcome().isWithoutEnd();
    List<HistogramLog.Series> kept =
        contents.series().stream()
            .filter(series -> !series.log().aborted() && (killed || !series.log().isUnfinished()))
            .toList();
    return of(new HistogramLog.Contents(kept, warnings), scores, environment);
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
    return of(HistogramLog.read(histograms), List.of(), caption, failed);
  }

  static String of(HistogramLog.Contents contents, List<Figure> scores, Environment environment) {
    return of(contents, scores, caption(environment), environment.failed());
  }

  private static String of(
      HistogramLog.Contents contents, List<Figure> scores, String caption, List<String> failures) {
    if (contents.series().isEmpty() && contents.warnings().isEmpty()) {
      return "";
    }
    Map<String, List<HistogramLog.Series>> byFigure = new TreeMap<>();
    for (HistogramLog.Series series : contents.overForks()) {
      byFigure
          .computeIfAbsent(
              shortName(series.benchmark()) + ", " + series.metric(), key -> new ArrayList<>())
          .add(series);
    }
    StringBuilder text = new StringBuilder("\n" + caption + "\n");
    byFigure.forEach((title, series) -> text.append(figures(title, series)));
    text.append(ratios(contents.overForks()));
    text.append(ScoreTables.of(scores));
    for (String failed : failures) {
      text.append("\nFailed, so figures of it are incomplete: ").append(failed).append('\n');
    }
    contents.warnings().forEach(warning -> text.append('\n').append(warning).append('\n'));
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

  private static String figures(String title, List<HistogramLog.Series> series) {
    HistogramLog.Series first = series.get(0);
    ReferenceFigures published =
        ReferenceFigures.ofBenchmark(shortName(first.benchmark()), first.metric()).orElse(null);
    TableParameters parameters =
        TableParameters.of(series.stream().map(HistogramLog.Series::params).toList());
    List<List<String>> rows = new ArrayList<>();
    List<String> head = new ArrayList<>(parameters.head());
    head.addAll(List.of("median", "p99", "spread", "samples"));
    if (published != null) {
      head.addAll(List.of(published.hosts(), "ours/" + published.hosts()));
    }
    rows.add(head);
    for (HistogramLog.Series one : sorted(series)) {
      Summary summary = Summary.of(one.samples());
      List<String> row = new ArrayList<>(parameters.cells(one.params()));
      row.add(TableText.ms(summary.median() / NS_PER_MS));
      row.add(TableText.ms(summary.p99() / NS_PER_MS));
      row.add(spread(summary));
      row.add(Long.toString(summary.count()));
      if (published != null) {
        OptionalDouble theirs =
            published.medianMs(TableParameters.trace(one.params()), one.metric());
        row.add(theirs.isPresent() ? TableText.ms(theirs.getAsDouble()) : TableText.NOTHING);
        row.add(
            theirs.isPresent()
                ? TableText.significant(summary.median() / NS_PER_MS / theirs.getAsDouble(), 0)
                : TableText.NOTHING);
      }
      rows.add(row);
    }
    return "\n" + title + parameters.common() + "\n" + TableText.aligned(rows);
  }

  /** One table for each benchmark that measures a ratio. */
  private static String ratios(List<HistogramLog.Series> all) {
    StringBuilder text = new StringBuilder();
    RATIOS.forEach(
        (benchmark, metrics) -> {
          Map<Map<String, String>, Map<String, HistogramLog.Series>> byParameters =
              new LinkedHashMap<>();
          for (HistogramLog.Series series : sorted(all)) {
            if (shortName(series.benchmark()).equals(benchmark)) {
              byParameters
                  .computeIfAbsent(series.params(), key -> new TreeMap<>())
                  .put(series.metric(), series);
            }
          }
          List<List<String>> rows = new ArrayList<>();
          byParameters.forEach((parameters, series) -> ratio(rows, metrics, parameters, series));
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
      Map<String, HistogramLog.Series> series) {
    HistogramLog.Series upper = series.get(metrics.get(0));
    HistogramLog.Series lower = series.get(metrics.get(1));
    if (upper != null && lower != null) {
      double upperNs = upper.samples().median();
      double lowerNs = lower.samples().median();
      rows.add(
          List.of(
              TableParameters.trace(parameters),
              TableText.ms(upperNs / NS_PER_MS),
              TableText.ms(lowerNs / NS_PER_MS),
              lowerNs == 0 ? TableText.NOTHING : TableText.significant(upperNs / lowerNs, 0)));
    }
  }

  /** Class and method, without the package. */
  private static String shortName(String benchmark) {
    return benchmark.substring(benchmark.lastIndexOf('.', benchmark.lastIndexOf('.') - 1) + 1);
  }

  private static List<HistogramLog.Series> sorted(List<HistogramLog.Series> series) {
    return series.stream()
        .sorted(Comparator.comparing(HistogramLog.Series::params, TableParameters.ORDER))
        .toList();
  }

  private static String spread(Summary summary) {
    return summary.count() < FEWEST_SAMPLES_FOR_SPREAD
        ? TableText.NOTHING
        : TableText.significant(summary.spread() * 100, 0) + " %";
  }
}
