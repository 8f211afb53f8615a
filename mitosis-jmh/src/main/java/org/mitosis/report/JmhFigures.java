// SPDX-License-Identifier: Apache-2.0
package org.mitosis.report;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import org.mitosis.result.Estimate;
import org.mitosis.result.Figure;
import org.mitosis.stats.Interval;

/**
 * All figures in the format of JMH's result file, for programs that keep such results over time:
 * github-action-benchmark and Bencher read the primary score only, where a benchmark that times
 * itself has a figure that means little.
 *
 * <p>Each figure is the primary score of an entry of its own. Metric and parameters are in the
 * name, because Bencher reads no parameters. For jmh-visualizer, which draws a chart of each class
 * and takes the parameters of its first method for those of all, a benchmark is a class and its
 * metrics are methods: {@code ForkPrepare:workingSet.prepare memorySize=4096}. Every number is
 * finite: JMH writes {@code "NaN"} for the error of fewer than three values, and Bencher then
 * refuses the whole file. The raw data are the forks' medians, of which jmh-visualizer draws the
 * range.
 */
final class JmhFigures {
  private JmhFigures() {}

  static String of(List<ReportedFigure> figures) {
    ArrayNode entries = new ObjectMapper().createArrayNode();
    for (ReportedFigure one : figures) {
      if (Double.isFinite(one.estimate().median()) && isTimeOrRate(one.figure())) {
        add(entries.addObject(), one);
      }
    }
    return entries.toPrettyString() + "\n";
  }

  private static boolean isTimeOrRate(Figure figure) {
    return figure.unit().equals(Figure.NS) || figure.unit().matches("ops/(ns|us|ms|s)");
  }

  private static void add(ObjectNode entry, ReportedFigure one) {
    Figure figure = one.figure();
    Estimate estimate = one.estimate();
    entry.put("benchmark", nameOf(figure));
    entry.put("mode", figure.lessIsBetter() ? "avgt" : "thrpt");
    entry.put("threads", 1);
    entry.put("forks", figure.forks().size());
    entry.put("measurementIterations", iterations(figure));
    if (one.failed()) {
      entry.put("shortfall", one.shortfall());
    }
    ObjectNode metric = entry.putObject("primaryMetric");
    Optional<Interval> interval = estimate.interval();
    double low = interval.map(Interval::low).orElse(estimate.median());
    double high = interval.map(Interval::high).orElse(estimate.median());
    metric.put("score", estimate.median());
    metric.put("scoreError", (high - low) / 2);
    metric.putArray("scoreConfidence").add(low).add(high);
    metric.put("scoreUnit", figure.unit().equals(Figure.NS) ? "ns/op" : figure.unit());
    ArrayNode forks = metric.putArray("rawData");
    for (double fork : estimate.forks()) {
      forks.addArray().add(fork);
    }
    entry.putObject("secondaryMetrics");
  }

  private static String nameOf(Figure figure) {
    Map<String, String> params = new TreeMap<>(figure.params());
    params.replaceAll((name, value) -> word(value));
    String benchmark = figure.benchmark().replaceFirst("\\.([^.]*)$", ":$1");
    return benchmark + "." + word(figure.metric()) + Figure.text(params);
  }

  /** Without what ends the name of a class, a parameter or a value for jmh-visualizer. */
  private static String word(String text) {
    return text.replaceAll("[.= ]", "_");
  }

  private static int iterations(Figure figure) {
    return figure.forks().stream()
        .flatMap(fork -> fork.points().stream())
        .mapToInt(Figure.Point::iteration)
        .max()
        .orElse(0);
  }
}
