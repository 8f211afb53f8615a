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
 * a cold start of the same function with the same JVM. The values are the medians of {@link
 * Estimate}.
 */
final class JvmTable {
  private static final String METRIC = "firstResult";
  private static final String CHILD = "FirstResult.jvm";
  private static final String COLD = "FirstResult.jvmColdStart";
  private static final String APP_CDS = "FirstResult.jvmAppCds";
  private static final String AOT_CACHE = "FirstResult.jvmAotCache";
  private static final String CRIU = "FirstResult.jvmCriu";
  private static final List<String> BESIDE = List.of(COLD, APP_CDS, AOT_CACHE, CRIU);
  private static final double NS_PER_MS = 1e6;

  private JvmTable() {}

  /** The table; empty if there are no children, or there is nothing beside them. */
  static String of(List<Figure> figures) {
    Map<String, List<Figure>> byBenchmark = new TreeMap<>();
    for (Figure figure : figures) {
      if (figure.metric().equals(METRIC) && !figure.forks().isEmpty()) {
        byBenchmark.computeIfAbsent(figure.shortName(), name -> new ArrayList<>()).add(figure);
      }
    }
    List<Figure> children = byBenchmark.getOrDefault(CHILD, List.of());
    if (children.isEmpty() || BESIDE.stream().noneMatch(byBenchmark::containsKey)) {
      return "";
    }
    TableParameters parameters = TableParameters.of(children.stream().map(Figure::params).toList());
    List<List<String>> rows = new ArrayList<>();
    List<String> head = new ArrayList<>(parameters.head());
    head.addAll(
        List.of("child", "cold start", "AppCDS", "AOT cache", "CRIU", "child/cold", "child/best"));
    rows.add(head);
    children.stream()
        .sorted(Comparator.comparing(Figure::params, TableParameters.ORDER))
        .forEach(child -> rows.add(row(parameters, child, byBenchmark)));
    return "\n"
        + CHILD
        + ", first result of a child beside other starts (medians, ms)"
        + parameters.common()
        + "\n"
        + TableText.aligned(rows)
        + "best: the faster one of AppCDS and AOT cache, where there is one\n";
  }

  private static List<String> row(
      TableParameters parameters, Figure child, Map<String, List<Figure>> byBenchmark) {
    double childMs = median(child);
    Map<String, Double> beside = new TreeMap<>();
    for (String benchmark : BESIDE) {
      beside.put(
          benchmark,
          byBenchmark.getOrDefault(benchmark, List.of()).stream()
              .filter(other -> isOfTheSameJvm(child.params(), other.params()))
              .mapToDouble(JvmTable::median)
              .findFirst()
              .orElse(Double.NaN));
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

  private static double median(Figure figure) {
    return Estimate.of(figure).median() / NS_PER_MS;
  }
}
