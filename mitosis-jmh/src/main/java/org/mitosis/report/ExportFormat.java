// SPDX-License-Identifier: Apache-2.0
package org.mitosis.report;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.function.Predicate;
import org.mitosis.result.Estimate;
import org.mitosis.result.Figure;
import org.mitosis.result.Run;
import org.mitosis.stats.Interval;

/**
 * The figures of a run in the JSON formats of services that follow them from commit to commit. Each
 * metric is a figure of its own, and the parameters are in its name; notes that only explain a
 * figure are left out. Values are medians over the forks.
 */
public enum ExportFormat {
  /** A list for github-action-benchmark: figures of which a smaller one is better. */
  CUSTOM_SMALLER_IS_BETTER("customSmallerIsBetter") {
    @Override
    void write(List<Figure> figures, Run run, ArrayNode list) {
      custom(figures, Figure::lessIsBetter, list);
    }
  },

  /** A list for github-action-benchmark: figures of which a greater one is better. */
  CUSTOM_BIGGER_IS_BETTER("customBiggerIsBetter") {
    @Override
    void write(List<Figure> figures, Run run, ArrayNode list) {
      custom(figures, figure -> !figure.lessIsBetter(), list);
    }
  },

  /** Bencher Metric Format: one object, whose measures are our metrics. */
  BMF("bmf") {
    @Override
    void write(List<Figure> figures, Run run, ArrayNode list) {
      ObjectNode benchmarks = list.addObject();
      for (Figure figure : figures) {
        Estimate estimate = Estimate.of(figure);
        ObjectNode metric =
            benchmarks.withObjectProperty(figure.title()).putObject(measure(figure));
        metric.put("value", estimate.median());
        estimate
            .interval()
            .ifPresent(one -> metric.put("lower_value", one.low()).put("upper_value", one.high()));
      }
    }

    @Override
    boolean isList() {
      return false;
    }
  },

  /** All that is known of each figure, with the parameters apart. */
  JSON("json") {
    @Override
    void write(List<Figure> figures, Run run, ArrayNode list) {
      for (Figure figure : figures) {
        Estimate estimate = Estimate.of(figure);
        ObjectNode one = list.addObject().put("run", run.name());
        one.put("benchmark", figure.benchmark());
        figure.params().forEach(one.putObject("params")::put);
        one.put("metric", figure.metric()).put("unit", figure.unit());
        one.put("lessIsBetter", figure.lessIsBetter()).put("median", estimate.median());
        Optional<Interval> interval = estimate.interval();
        one.put("low", interval.map(Interval::low).orElse(null));
        one.put("high", interval.map(Interval::high).orElse(null));
        one.put("confidence", interval.map(Interval::confidence).orElse(null));
        one.put("samples", estimate.summary().count()).put("forks", figure.forks().size());
        figure.containers().forEach(one.putArray("containers")::add);
      }
    }
  };

  private final String word;

  ExportFormat(String word) {
    this.word = word;
  }

  /** The format of this name; empty if there is none. */
  public static Optional<ExportFormat> of(String word) {
    return List.of(values()).stream().filter(format -> format.word.equals(word)).findFirst();
  }

  /** The name of the format. */
  @Override
  public String toString() {
    return word;
  }

  /** The figures of a run as JSON, with a line feed at its end. */
  public String of(Run run) {
    List<Figure> figures =
        run.figures().stream()
            .filter(figure -> !figure.isNote() && Double.isFinite(Estimate.of(figure).median()))
            .sorted(FigureOrder.BY_NAME)
            .toList();
    ArrayNode list = new ObjectMapper().createArrayNode();
    write(figures, run, list);
    return (isList() ? list : list.get(0)).toPrettyString() + "\n";
  }

  abstract void write(List<Figure> figures, Run run, ArrayNode list);

  boolean isList() {
    return true;
  }

  private static void custom(List<Figure> figures, Predicate<Figure> wanted, ArrayNode list) {
    for (Figure figure : figures) {
      if (wanted.test(figure)) {
        Estimate estimate = Estimate.of(figure);
        ObjectNode one = list.addObject();
        one.put("name", figure.title() + " · " + figure.metric());
        one.put("unit", figure.unit()).put("value", estimate.median());
        estimate
            .interval()
            .ifPresent(
                interval ->
                    one.put(
                        "range",
                        String.format(
                            Locale.ROOT, "%.4g to %.4g", interval.low(), interval.high())));
        one.put(
            "extra",
            figure.forks().size()
                + " forks, "
                + estimate.summary().count()
                + " samples"
                + (figure.isIncomplete() ? ", " + figure.shortfall() : ""));
      }
    }
  }

  /** A measure has one unit, wherever it occurs: that of times goes without saying. */
  private static String measure(Figure figure) {
    return figure.unit().equals(Figure.NS)
        ? figure.metric()
        : figure.metric() + " (" + figure.unit() + ")";
  }
}
