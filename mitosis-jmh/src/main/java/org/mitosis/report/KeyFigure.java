// SPDX-License-Identifier: Apache-2.0
package org.mitosis.report;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.mitosis.result.Figure;
import org.mitosis.result.Run;

/**
 * A figure for the top of a report, of each run that has it.
 *
 * @param title what it is, in words
 * @param of benchmark and parameters
 * @param values a line for each run
 * @param published the published value; empty if there is none
 */
record KeyFigure(String title, String of, List<Value> values, String published) {
  /**
   * The value of a run.
   *
   * @param run its letter; empty if there is only one
   * @param median with its unit
   * @param interval with its confidence; empty if unknown
   * @param shortfall what is missing of it; empty if nothing is
   */
  record Value(String run, String median, String interval, String shortfall) {}

  private static final int MOST = 3;

  /** Benchmark and metric of those that are chosen first. */
  private static final List<String> FIRST =
      List.of(
          "ForkPrepare.workingSet prepare",
          "ForkResume.workingSet resume",
          "FirstResult.jvm firstResult",
          "FirstResult.workingSet firstResult",
          "PeakThroughput.workingSet peak",
          "ForkResume.workingSet startup",
          "ForkPrepare.function prepare",
          "ForkResume.function resume",
          "FirstResult.function firstResult",
          "PeakThroughput.function peak",
          "Execution.workingSet execution");

  static List<KeyFigure> of(List<Run> runs, List<ReportedFigure> figures) {
    return chosen(figures).stream().map(one -> of(one, runs, figures)).toList();
  }

  /** At most three: those of {@link #FIRST}, and then others of benchmarks not yet shown. */
  static List<ReportedFigure> chosen(List<ReportedFigure> figures) {
    Map<String, ReportedFigure> chosen = new LinkedHashMap<>();
    for (String name : FIRST) {
      figures.stream()
          .filter(one -> name(one).equals(name) && Double.isFinite(one.estimate().median()))
          .sorted(Comparator.comparing(one -> -size(one)))
          .findFirst()
          .ifPresent(one -> chosen.put(name, one));
    }
    figures.stream()
        .filter(one -> one.isTime() && one.estimate().median() > 0)
        .filter(one -> !one.figure().metric().equals(Figure.SCORE))
        .sorted(Comparator.comparing(one -> -one.estimate().summary().count()))
        .forEach(one -> chosen.putIfAbsent(name(one), one));
    return chosen.values().stream().limit(MOST).toList();
  }

  private static String name(ReportedFigure one) {
    return one.figure().shortName() + " " + one.figure().metric();
  }

  private static long size(ReportedFigure one) {
    return one.figure().memoryBytes().orElse(0L);
  }

  private static KeyFigure of(ReportedFigure key, List<Run> runs, List<ReportedFigure> figures) {
    List<Value> values = new ArrayList<>();
    for (ReportedFigure one : figures) {
      if (one.figure().key().equals(key.figure().key())) {
        values.add(
            new Value(
                PlotName.run(one.run(), runs),
                Quantity.of(one.estimate().median(), one.figure().unit()),
                FigureTable.interval(one).equals(Quantity.NOTHING) ? "" : FigureTable.interval(one),
                one.shortfall()));
      }
    }
    Map<String, String> setting = key.figure().setting();
    String trace = PlotName.trace(key.figure());
    return new KeyFigure(
        Words.title(key.figure().metric()),
        key.figure().shortName()
            + (trace.equals("all") ? "" : ", " + trace)
            + Optional.ofNullable(setting.get("transport")).map(one -> ", " + one).orElse(""),
        List.copyOf(values),
        key.published().isPresent()
            ? Quantity.of(key.published().getAsDouble(), key.figure().unit())
                + " published on "
                + key.publishedHosts()
            : "");
  }
}
