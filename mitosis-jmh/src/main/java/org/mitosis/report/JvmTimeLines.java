// SPDX-License-Identifier: Apache-2.0
package org.mitosis.report;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import org.mitosis.report.chart.Axis;
import org.mitosis.report.chart.Axis.Scale;
import org.mitosis.report.chart.Chart;
import org.mitosis.result.Run;

/**
 * When a child of a JVM, and a fresh JVM, are where: first statement, first result, later calls.
 */
final class JvmTimeLines {
  private static final String FIRST_STATEMENT = "resume";
  private static final String CHILD = "lastResult";
  private static final String FRESH = "coldStart";

  private JvmTimeLines() {}

  static List<Plot> of(List<Run> runs, List<ReportedFigure> figures) {
    Map<String, List<ReportedFigure>> byFunction = new TreeMap<>();
    for (ReportedFigure one : figures) {
      if (one.isTime()
          && one.figure().shortName().equals(JvmPlots.WARM_UP)
          && Set.of(FIRST_STATEMENT, CHILD, FRESH).contains(one.figure().metric())
          && one.medianMs() > 0
          && JvmPlots.calls(one.figure()).isPresent()) {
        byFunction
            .computeIfAbsent(JvmPlots.function(one.figure()), key -> new ArrayList<>())
            .add(one);
      }
    }
    // Runs of before the first statement was recorded have the other chart only.
    byFunction
        .values()
        .removeIf(
            some -> some.stream().noneMatch(one -> one.figure().metric().equals(FIRST_STATEMENT)));
    List<Plot> plots = new ArrayList<>();
    byFunction.forEach((function, some) -> plots.add(timeLine(function, runs, some)));
    return plots;
  }

  private static Plot timeLine(String function, List<Run> runs, List<ReportedFigure> figures) {
    Set<String> varying = JvmPlots.varying(figures);
    List<Integer> calls = figures.stream().map(one -> calls(one)).distinct().sorted().toList();
    List<String> places = new ArrayList<>(List.of("first statement"));
    calls.forEach(number -> places.add(number == 1 ? "first result" : "result " + number));
    Lines lines = new Lines(runs);
    for (ReportedFigure one : figures) {
      String metric = one.figure().metric();
      int place = metric.equals(FIRST_STATEMENT) ? 0 : 1 + calls.indexOf(calls(one));
      // It is the same of every child, however many calls follow.
      if (place > 0 || calls(one) == calls.get(0).intValue()) {
        lines.add(
            one.run(),
            (metric.equals(FRESH) ? "fresh JVM" : "child")
                + JvmPlots.setting(one.figure(), varying),
            one.point(place));
      }
    }
    return new Plot(
        JvmPlots.SECTION,
        PlotName.file("jvm-time-line", function),
        new Chart(
            "JVM: time line of a child that calls " + function,
            "From the call that resumes; of a fresh JVM, from fork(2). " + Words.MEDIANS,
            Axis.ofCategories("event", places),
            Axis.of("time, ms", Scale.LOGARITHMIC),
            lines.series()));
  }

  private static int calls(ReportedFigure one) {
    return JvmPlots.calls(one.figure()).orElseThrow();
  }
}
