// SPDX-License-Identifier: Apache-2.0
package org.mitosis.report;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import org.mitosis.report.chart.Axis;
import org.mitosis.report.chart.Axis.Scale;
import org.mitosis.report.chart.Chart;
import org.mitosis.result.Run;

/** When a child of a JVM, and a fresh JVM, are where: the steps of resume, then results. */
final class JvmTimeLines {
  private static final String CHILD = "timeLine.";
  private static final String RESULT = CHILD + "lastResult";
  private static final String FRESH = "coldStart";

  /** The steps of a child before its result, in their order, and what each is. */
  private static final Map<String, String> STEPS = new LinkedHashMap<>();

  static {
    STEPS.put(CHILD + "descriptor", "descriptor");
    STEPS.put(CHILD + "born", "born");
    STEPS.put(CHILD + "files", "files");
    STEPS.put(CHILD + "mapped", "mapped");
    STEPS.put(CHILD + "go", "go");
    STEPS.put(CHILD + "firstStatement", "first statement");
  }

  private JvmTimeLines() {}

  static List<Plot> of(List<Run> runs, List<ReportedFigure> figures) {
    Map<String, List<ReportedFigure>> byFunction = new TreeMap<>();
    for (ReportedFigure one : figures) {
      String metric = one.figure().metric();
      if (one.isTime()
          && one.figure().shortName().equals(JvmPlots.WARM_UP)
          && (metric.startsWith(CHILD) || metric.equals(FRESH))
          && one.medianMs() > 0
          && JvmPlots.calls(one.figure()).isPresent()) {
        byFunction
            .computeIfAbsent(JvmPlots.function(one.figure()), key -> new ArrayList<>())
            .add(one);
      }
    }
    // Runs of before the steps were recorded have the other chart only.
    byFunction
        .values()
        .removeIf(some -> some.stream().noneMatch(one -> STEPS.containsKey(one.figure().metric())));
    List<Plot> plots = new ArrayList<>();
    byFunction.forEach((function, some) -> plots.add(timeLine(function, runs, some)));
    return plots;
  }

  private static Plot timeLine(String function, List<Run> runs, List<ReportedFigure> figures) {
    Set<String> varying = JvmPlots.varying(figures);
    List<Integer> calls = figures.stream().map(one -> calls(one)).distinct().sorted().toList();
    List<String> steps = List.copyOf(STEPS.keySet());
    List<String> places = new ArrayList<>(STEPS.values());
    calls.forEach(number -> places.add(number == 1 ? "first result" : "result " + number));
    Lines lines = new Lines(runs);
    for (ReportedFigure one : figures) {
      String metric = one.figure().metric();
      boolean isStep = STEPS.containsKey(metric);
      if (!isStep && !metric.equals(RESULT) && !metric.equals(FRESH)) {
        continue; // of a later release
      }
      // The steps are the same of every child, however many calls follow.
      if (isStep && calls(one) != calls.get(0)) {
        continue;
      }
      lines.add(
          one.run(),
          (metric.equals(FRESH) ? "fresh JVM" : "child") + JvmPlots.setting(one.figure(), varying),
          one.point(isStep ? steps.indexOf(metric) : steps.size() + calls.indexOf(calls(one))));
    }
    return new Plot(
        JvmPlots.SECTION,
        PlotName.file("jvm-time-line", function),
        new Chart(
            "JVM: time line of a child that calls " + function,
            "From the call that resumes, of a child that fetches the descriptor itself; of a fresh"
                + " JVM, from fork(2). Mapped: its memory is mapped; go: its threads are made. "
                + Words.MEDIANS,
            Axis.ofCategories("event", places),
            Axis.of("time, ms", Scale.LOGARITHMIC),
            lines.series()));
  }

  private static int calls(ReportedFigure one) {
    return JvmPlots.calls(one.figure()).orElseThrow();
  }
}
