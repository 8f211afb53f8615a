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
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.stream.Collectors;
import org.mitosis.setting.ParameterNames;
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
  private static final int LONGEST_NUMBER = 20;
  private static final String PEAK = "peak";

  /** The parameters whose values are in the first column of the artifact's tables. */
  private static final List<String> TRACE_PARAMETERS =
      List.of(ParameterNames.MEMORY_SIZE, ParameterNames.FUNCTION_NAME);

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
    text.append(callsFromJava("NilCall", "nil", scores));
    text.append(callsFromJava("NilRpc", "nilRpc", scores));
    text.append(peak(scores));
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
    Parameters parameters =
        Parameters.of(series.stream().map(HistogramLog.Series::params).toList());
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
        OptionalDouble theirs = published.medianMs(trace(one.params()), one.metric());
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
              trace(parameters),
              TableText.ms(upperNs / NS_PER_MS),
              TableText.ms(lowerNs / NS_PER_MS),
              lowerNs == 0 ? TableText.NOTHING : TableText.significant(upperNs / lowerNs, 0)));
    }
  }

  /** A call from Java, by JMH's score, over the same call in C, by its own clock. */
  private static String callsFromJava(String benchmark, String metric, List<Figure> scores) {
    OptionalDouble jnaNs = OptionalDouble.empty();
    OptionalDouble cNs = OptionalDouble.empty();
    for (Figure score : scores) {
      boolean isTime = score.unit().equals(Figure.NS);
      if (score.shortName().equals(benchmark + ".jna")
          && score.metric().equals(Figure.SCORE)
          && isTime) {
        jnaNs = OptionalDouble.of(mean(score));
      } else if (score.shortName().equals(benchmark + ".c")
          && score.metric().equals(metric)
          && isTime) {
        cNs = OptionalDouble.of(mean(score));
      }
    }
    if (jnaNs.isEmpty() || cNs.isEmpty()) {
      return "";
    }
    return "\n"
        + benchmark
        + ", jna / c (means, ns)\n"
        + TableText.aligned(
            List.of(
                List.of("trace", "jna", "c", "ratio"),
                List.of(
                    metric,
                    TableText.significant(jnaNs.getAsDouble(), 0),
                    TableText.significant(cNs.getAsDouble(), 0),
                    TableText.significant(jnaNs.getAsDouble() / cNs.getAsDouble(), 0))));
  }

  /** Children per second of all machines and of each, with the stable interval. */
  private static String peak(List<Figure> scores) {
    Map<String, Map<Map<String, String>, Map<String, Double>>> byBenchmark = new TreeMap<>();
    for (Figure score : scores) {
      byBenchmark
          .computeIfAbsent(score.shortName(), name -> new LinkedHashMap<>())
          .computeIfAbsent(score.params(), params -> new TreeMap<>())
          .put(score.metric(), mean(score));
    }
    StringBuilder text = new StringBuilder();
    byBenchmark.forEach(
        (benchmark, byParams) -> {
          byParams.values().removeIf(figures -> !figures.containsKey(PEAK));
          if (!byParams.isEmpty()) {
            text.append(peak(benchmark, byParams));
          }
        });
    return text.toString();
  }

  private static String peak(
      String benchmark, Map<Map<String, String>, Map<String, Double>> byParams) {
    Parameters parameters = Parameters.of(List.copyOf(byParams.keySet()));
    List<List<String>> rows = new ArrayList<>();
    List<String> head = new ArrayList<>(parameters.head());
    head.addAll(List.of("peak", "by machine", "stable", "from s", "to s"));
    rows.add(head);
    byParams.forEach(
        (params, figures) -> {
          List<String> row = new ArrayList<>(parameters.cells(params));
          row.add(score(figures, PEAK));
          row.add(
              figures.keySet().stream()
                  .filter(name -> name.startsWith(PEAK + "."))
                  .sorted(Comparator.comparing(String::length).thenComparing(name -> name))
                  .map(name -> score(figures, name))
                  .collect(Collectors.joining(" + ")));
          row.add(stable(figures.get("stable")));
          row.add(score(figures, "stableFrom"));
          row.add(score(figures, "stableTo"));
          rows.add(row);
        });
    return "\n"
        + benchmark
        + ", peak (containers/s, means)"
        + parameters.common()
        + "\n"
        + TableText.aligned(rows);
  }

  private static String score(Map<String, Double> figures, String name) {
    return TableText.significant(figures.getOrDefault(name, Double.NaN), 0);
  }

  /** The share of the runs with a stable interval. */
  private static String stable(Double share) {
    if (share == null) {
      return TableText.NOTHING;
    }
    return share == 1
        ? "yes"
        : share == 0 ? "no" : TableText.significant(share * 100, 0) + " % of runs";
  }

  /** The mean of all iterations of all forks, as JMH computes it. */
  private static double mean(Figure score) {
    return score.forks().stream()
        .flatMap(fork -> fork.points().stream())
        .mapToDouble(Figure.Point::value)
        .average()
        .orElse(Double.NaN);
  }

  /**
   * The parameters of a table: the artifact's in the first column, others that vary in a column
   * each, and constant ones in the title.
   */
  private record Parameters(List<String> varying, String common) {
    static Parameters of(List<Map<String, String>> rows) {
      Map<String, Set<String>> values = new TreeMap<>();
      for (Map<String, String> row : rows) {
        row.forEach(
            (name, value) -> values.computeIfAbsent(name, key -> new TreeSet<>()).add(value));
      }
      values.keySet().removeAll(TRACE_PARAMETERS);
      List<String> varying =
          values.keySet().stream().filter(name -> values.get(name).size() > 1).toList();
      values.keySet().removeAll(varying);
      return new Parameters(
          varying,
          values.isEmpty()
              ? ""
              : values.entrySet().stream()
                  .map(one -> one.getKey() + "=" + one.getValue().iterator().next())
                  .collect(Collectors.joining(", ", " (", ")")));
    }

    List<String> head() {
      List<String> head = new ArrayList<>(List.of("trace"));
      head.addAll(varying);
      return head;
    }

    List<String> cells(Map<String, String> parameters) {
      List<String> cells = new ArrayList<>(List.of(trace(parameters)));
      varying.forEach(name -> cells.add(parameters.getOrDefault(name, TableText.NOTHING)));
      return cells;
    }
  }

  /** Class and method, without the package. */
  private static String shortName(String benchmark) {
    return benchmark.substring(benchmark.lastIndexOf('.', benchmark.lastIndexOf('.') - 1) + 1);
  }

  private static List<HistogramLog.Series> sorted(List<HistogramLog.Series> series) {
    Comparator<HistogramLog.Series> byNumber =
        Comparator.comparing(
            one -> TableText.numberOf(trace(one.params())),
            Comparator.nullsLast(Comparator.naturalOrder()));
    return series.stream()
        .sorted(
            byNumber
                .thenComparing(one -> trace(one.params()))
                .thenComparing(one -> padded(one.params())))
        .toList();
  }

  /** All parameters, with numbers padded so that their text sorts by value. */
  private static String padded(Map<String, String> parameters) {
    return new TreeMap<>(parameters)
        .entrySet().stream()
            .map(one -> one.getKey() + "=" + padded(one.getValue()))
            .collect(Collectors.joining(" "));
  }

  private static String padded(String value) {
    return TableText.numberOf(value) == null
        ? value
        : "0".repeat(Math.max(0, LONGEST_NUMBER - value.length())) + value;
  }

  /** The first column of the artifact's tables: the values of its parameters. */
  private static String trace(Map<String, String> parameters) {
    String trace =
        TRACE_PARAMETERS.stream()
            .filter(parameters::containsKey)
            .map(parameters::get)
            .collect(Collectors.joining(" "));
    return trace.isEmpty() ? TableText.NOTHING : trace;
  }

  private static String spread(Summary summary) {
    return summary.count() < FEWEST_SAMPLES_FOR_SPREAD
        ? TableText.NOTHING
        : TableText.significant(summary.spread() * 100, 0) + " %";
  }
}
