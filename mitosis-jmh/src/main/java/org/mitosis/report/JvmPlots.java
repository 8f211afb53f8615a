// SPDX-License-Identifier: Apache-2.0
package org.mitosis.report;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import org.mitosis.report.chart.Axis;
import org.mitosis.report.chart.Axis.Scale;
import org.mitosis.report.chart.Chart;
import org.mitosis.result.Figure;
import org.mitosis.result.Run;
import org.mitosis.setting.ParameterNames;

/** A JVM: how soon children and other starts have a first result, and how warm they are. */
final class JvmPlots {
  static final String SECTION = "JVM";

  static final String CALLS = "calls";
  private static final String FIRST_RESULT = "firstResult";
  static final String WARM_UP = "Execution.jvm";

  /** The starts of a JVM, in the order of the legend. */
  private static final Map<String, String> STARTS = new LinkedHashMap<>();

  /** The lines of a warm-up, and what each is. */
  private static final Map<String, String> LINES = new LinkedHashMap<>();

  static {
    STARTS.put("FirstResult.jvm", "child");
    STARTS.put("FirstResult.jvmColdStart", "cold start");
    STARTS.put("FirstResult.jvmAppCds", "AppCDS");
    STARTS.put("FirstResult.jvmAotCache", "AOT cache");
    STARTS.put("FirstResult.jvmCriu", "CRIU");
    STARTS.put("FirstResult.jvmCriuLazy", "CRIU, lazy");
    STARTS.put("FirstResult.jvmCrac", "CRaC");
    STARTS.put("FirstResult.jvmPool", "idle JVM");
    LINES.put("warm", "parent, calls only");
    LINES.put("lastResult", "child, from the request");
    LINES.put("coldStart", "fresh JVM, from its start");
  }

  private JvmPlots() {}

  static List<Plot> of(List<Run> runs, List<ReportedFigure> figures) {
    List<Plot> plots = new ArrayList<>();
    List<ReportedFigure> starts =
        figures.stream()
            .filter(one -> one.isTime() && STARTS.containsKey(one.figure().shortName()))
            .filter(one -> one.figure().metric().equals(FIRST_RESULT) && one.medianMs() > 0)
            .toList();
    if (!starts.isEmpty()) {
      plots.add(starts(runs, starts));
    }
    Map<String, List<ReportedFigure>> byFunction = new TreeMap<>();
    for (ReportedFigure one : figures) {
      if (one.isTime()
          && one.figure().shortName().equals(WARM_UP)
          && LINES.containsKey(one.figure().metric())
          && one.medianMs() > 0
          && calls(one.figure()).isPresent()) {
        byFunction.computeIfAbsent(function(one.figure()), key -> new ArrayList<>()).add(one);
      }
    }
    byFunction.forEach((function, some) -> plots.add(warmUp(function, runs, some)));
    plots.addAll(JvmTimeLines.of(runs, figures));
    plots.addAll(JvmPages.of(runs, figures));
    return plots;
  }

  static String function(Figure figure) {
    return figure.params().getOrDefault(ParameterNames.JAVA_FUNCTION, "");
  }

  static Optional<Integer> calls(Figure figure) {
    String calls = figure.params().getOrDefault(CALLS, "");
    return calls.matches("[1-9][0-9]{0,6}")
        ? Optional.of(Integer.valueOf(calls))
        : Optional.empty();
  }

  private static Plot starts(List<Run> runs, List<ReportedFigure> figures) {
    NameChart chart = new NameChart(runs);
    for (Map.Entry<String, String> start : STARTS.entrySet()) {
      List<ReportedFigure> some =
          figures.stream().filter(one -> one.figure().shortName().equals(start.getKey())).toList();
      Set<String> varying = varying(some);
      for (ReportedFigure one : some) {
        chart.add(start.getValue() + setting(one.figure(), varying), function(one.figure()), one);
      }
    }
    return new Plot(
        SECTION,
        "jvm-first-result",
        chart.of(
            "JVM: until the first result",
            "A child counts from the call that resumes, a start from fork(2), a restore from"
                + " before CRIU or CRaC is started, an idle JVM from a request by a pipe. "
                + Words.MEDIANS,
            "function",
            Words.axis(FIRST_RESULT)));
  }

  private static Plot warmUp(String function, List<Run> runs, List<ReportedFigure> figures) {
    Set<String> varying = varying(figures);
    Lines lines = new Lines(runs);
    LINES.forEach(
        (metric, what) ->
            figures.stream()
                .filter(one -> one.figure().metric().equals(metric))
                .forEach(
                    one ->
                        lines.add(
                            one.run(),
                            what + setting(one.figure(), varying),
                            one.point(calls(one.figure()).orElseThrow()))));
    return new Plot(
        SECTION,
        PlotName.file("jvm-calls", function),
        new Chart(
            "JVM: the first calls of " + function,
            "Time until the last of the calls has returned. " + Words.MEDIANS,
            Axis.of("calls", Scale.LOGARITHMIC),
            Axis.of("time, ms", Scale.LOGARITHMIC),
            lines.series()));
  }

  static Set<String> varying(List<ReportedFigure> figures) {
    Set<String> varying = new TreeSet<>(PlotName.varying(figures));
    varying.removeAll(List.of(CALLS, ParameterNames.JAVA_FUNCTION));
    return varying;
  }

  static String setting(Figure figure, Set<String> varying) {
    StringBuilder text = new StringBuilder();
    for (String name : varying) {
      String value = figure.params().get(name);
      if (value != null) {
        text.append(", ").append(name).append('=').append(value);
      }
    }
    return text.toString();
  }
}
