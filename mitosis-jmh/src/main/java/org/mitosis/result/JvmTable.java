// SPDX-License-Identifier: Apache-2.0
package org.mitosis.result;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.TreeMap;
import java.util.stream.Stream;

/**
 * The table of a JVM's first result: children in rows, and in columns what else there is instead of
 * a cold start of the same function with the same JVM, and the memory of what waits for requests:
 * an idle JVM, or a snapshot with its parent. The values are the medians of {@link Estimate}.
 */
final class JvmTable {
  private static final String METRIC = "firstResult";
  private static final String CHILD = "FirstResult.jvm";
  private static final String COLD = "FirstResult.jvmColdStart";
  private static final String APP_CDS = "FirstResult.jvmAppCds";
  private static final String AOT_CACHE = "FirstResult.jvmAotCache";
  private static final String CRIU = "FirstResult.jvmCriu";
  private static final String CRIU_LAZY = "FirstResult.jvmCriuLazy";
  private static final String CRAC = "FirstResult.jvmCrac";
  private static final String POOL = "FirstResult.jvmPool";
  private static final List<String> BESIDE =
      List.of(COLD, APP_CDS, AOT_CACHE, CRIU, CRIU_LAZY, CRAC, POOL);
  private static final String IDLE_MEMORY = "idleMemory";
  private static final String SNAPSHOT_MEMORY = "snapshotMemory";
  private static final double NS_PER_MS = 1e6;

  private JvmTable() {}

  /** The table; empty if there are no children, or there is nothing beside them. */
  static String of(List<Figure> figures) {
    Map<String, List<Figure>> byBenchmark = byBenchmark(METRIC, figures);
    List<Figure> children = byBenchmark.getOrDefault(CHILD, List.of());
    if (children.isEmpty() || BESIDE.stream().noneMatch(byBenchmark::containsKey)) {
      return "";
    }
    TableParameters parameters = TableParameters.of(children.stream().map(Figure::params).toList());
    List<List<String>> rows = new ArrayList<>();
    List<String> head = new ArrayList<>(parameters.head());
    head.addAll(List.of("child", "cold start", "AppCDS", "AOT cache", "CRIU", "CRIU lazy", "CRaC"));
    head.addAll(List.of("idle JVM", "child/cold", "child/best"));
    List<Figure> idle = byBenchmark(IDLE_MEMORY, figures).getOrDefault(POOL, List.of());
    List<Figure> snapshots = byBenchmark(SNAPSHOT_MEMORY, figures).getOrDefault(CHILD, List.of());
    if (!idle.isEmpty()) {
      head.addAll(List.of("idle, MiB", "snapshot, MiB"));
    }
    rows.add(head);
    children.stream()
        .sorted(Comparator.comparing(Figure::params, TableParameters.ORDER))
        .forEach(
            child -> {
              List<String> row = row(parameters, child, byBenchmark);
              if (!idle.isEmpty()) {
                row.add(TableText.significant(of(idle, child), 0));
                row.add(TableText.significant(of(snapshots, child), 0));
              }
              rows.add(row);
            });
    return "\n"
        + CHILD
        + ", first result of a child beside other starts (medians, ms)"
        + parameters.common()
        + "\n"
        + TableText.aligned(rows)
        + "best: the faster one of AppCDS and AOT cache, where there is one\n"
        + (idle.isEmpty() ? "" : "MiB: PSS of an idle JVM, and of a snapshot with its parent\n");
  }

  private static Map<String, List<Figure>> byBenchmark(String metric, List<Figure> figures) {
    Map<String, List<Figure>> found = new TreeMap<>();
    for (Figure figure : figures) {
      if (figure.metric().equals(metric) && !figure.forks().isEmpty()) {
        found.computeIfAbsent(figure.shortName(), name -> new ArrayList<>()).add(figure);
      }
    }
    return found;
  }

  private static List<String> row(
      TableParameters parameters, Figure child, Map<String, List<Figure>> byBenchmark) {
    double childMs = Estimate.of(child).median() / NS_PER_MS;
    Map<String, Double> beside = new TreeMap<>();
    for (String benchmark : BESIDE) {
      beside.put(benchmark, of(byBenchmark.getOrDefault(benchmark, List.of()), child) / NS_PER_MS);
    }
    List<String> row = new ArrayList<>(parameters.cells(child.params()));
    row.add(TableText.ms(childMs));
    BESIDE.forEach(benchmark -> row.add(TableText.ms(beside.get(benchmark))));
    row.add(TableText.significant(childMs / beside.get(COLD), 0));
    double best =
        Stream.of(APP_CDS, AOT_CACHE)
            .mapToDouble(beside::get)
            .filter(Double::isFinite)
            .min()
            .orElse(Double.NaN);
    row.add(TableText.significant(childMs / best, 0));
    return row;
  }

  /** Whether all parameters that a start without a parent has are those of the child. */
  private static boolean isOfTheSameJvm(Map<String, String> child, Map<String, String> other) {
    return other.entrySet().stream()
        .allMatch(one -> Objects.equals(child.get(one.getKey()), one.getValue()));
  }

  /** The median of the figure that belongs to a child. */
  private static double of(List<Figure> figures, Figure child) {
    return figures.stream()
        .filter(one -> isOfTheSameJvm(child.params(), one.params()))
        .mapToDouble(one -> Estimate.of(one).median())
        .findFirst()
        .orElse(Double.NaN);
  }
}
