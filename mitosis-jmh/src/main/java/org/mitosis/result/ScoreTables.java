// SPDX-License-Identifier: Apache-2.0
package org.mitosis.result;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.OptionalDouble;
import java.util.TreeMap;
import java.util.stream.Collectors;

/**
 * The tables of {@link ArtifactTable} that are made of JMH's scores: calls from Java, and rates.
 * The values are the medians of {@link Estimate}.
 */
final class ScoreTables {
  private static final String PEAK = "peak";
  private static final String STABLE = "stable";
  private static final String HIGHEST = "highestRate";

  private ScoreTables() {}

  /** All tables; empty if the scores are of other benchmarks. */
  static String of(List<Figure> scores) {
    return callsFromJava("NilCall", "nil", scores)
        + callsFromJava("NilRpc", "nilRpc", scores)
        + peak(scores);
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
        jnaNs = OptionalDouble.of(median(score));
      } else if (score.shortName().equals(benchmark + ".c")
          && score.metric().equals(metric)
          && isTime) {
        cNs = OptionalDouble.of(median(score));
      }
    }
    if (jnaNs.isEmpty() || cNs.isEmpty()) {
      return "";
    }
    return "\n"
        + benchmark
        + ", jna / c (medians, ns)\n"
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
          .put(score.metric(), score.metric().equals(STABLE) ? mean(score) : median(score));
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
    TableParameters parameters = TableParameters.of(List.copyOf(byParams.keySet()));
    List<List<String>> rows = new ArrayList<>();
    List<String> head = new ArrayList<>(parameters.head());
    head.addAll(List.of("peak", "by machine", "stable", "from s", "to s"));
    boolean scheduled = byParams.values().stream().anyMatch(row -> row.containsKey(Figure.LOST));
    if (scheduled) {
      head.addAll(List.of("offered", "started", "late", "lost", "note"));
    }
    boolean searched = byParams.values().stream().anyMatch(row -> row.containsKey(HIGHEST));
    if (searched) {
      head.addAll(List.of("highest rate", "steps"));
    }
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
          row.add(stable(figures.get(STABLE)));
          row.add(score(figures, "stableFrom"));
          row.add(score(figures, "stableTo"));
          if (scheduled) {
            row.add(score(figures, "offered"));
            row.add(score(figures, "started"));
            row.add(score(figures, Figure.LATE));
            row.add(score(figures, Figure.LOST));
            row.add(
                new OfferedLoad(
                        figures.getOrDefault(Figure.OFFERED, 0.0),
                        figures.getOrDefault(Figure.LOST, 0.0),
                        figures.getOrDefault(Figure.LATE, 0.0))
                    .note());
          }
          if (searched) {
            row.add(score(figures, HIGHEST));
            row.add(score(figures, "searchSteps"));
          }
          rows.add(row);
        });
    return "\n"
        + benchmark
        + ", peak (containers/s, medians)"
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

  private static double median(Figure score) {
    return Estimate.of(score).median();
  }

  /** The mean of all iterations of all forks: of zeros and ones, the share of the ones. */
  private static double mean(Figure score) {
    return score.forks().stream()
        .flatMap(fork -> fork.points().stream())
        .mapToDouble(Figure.Point::value)
        .average()
        .orElse(Double.NaN);
  }
}
