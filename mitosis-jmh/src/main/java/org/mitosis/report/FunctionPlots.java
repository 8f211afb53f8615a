// SPDX-License-Identifier: Apache-2.0
package org.mitosis.report;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.mitosis.result.Run;

/** Functions beside their baselines and the published figures. */
final class FunctionPlots {
  static final String SECTION = "Functions";

  private static final Map<String, String> BESIDE =
      Map.of(
          "coldStart", "firstResult",
          "criuFirstResult", "firstResult",
          "criuLazyFirstResult", "firstResult",
          "criuDump", "prepare",
          "criuRestore", "resume",
          "criuLazy", "resume",
          "fork", "prepare",
          "warm", "execution");

  private static final Map<String, String> TITLES =
      Map.of(
          "prepare", "Functions: prepare",
          "resume", "Functions: resume",
          "startup", "Functions: startup, from the request until the child has ended",
          "execution", "Functions: execution after resume",
          "firstResult", "Functions: until the first result");

  private FunctionPlots() {}

  static List<Plot> of(List<Run> runs, List<ReportedFigure> figures) {
    Map<String, List<ReportedFigure>> byMetric = new LinkedHashMap<>();
    for (ReportedFigure one : figures) {
      if (one.isTime() && one.figure().function().isPresent() && one.medianMs() > 0) {
        String metric = BESIDE.getOrDefault(one.figure().metric(), one.figure().metric());
        if (TITLES.containsKey(metric)) {
          byMetric.computeIfAbsent(metric, key -> new ArrayList<>()).add(one);
        }
      }
    }
    List<Plot> plots = new ArrayList<>();
    for (String metric : List.of("prepare", "resume", "startup", "execution", "firstResult")) {
      if (byMetric.containsKey(metric)) {
        plots.add(plot(metric, runs, byMetric.get(metric)));
      }
    }
    return plots;
  }

  private static Plot plot(String metric, List<Run> runs, List<ReportedFigure> figures) {
    Set<String> varying = PlotName.varying(figures);
    NameChart chart = new NameChart(runs);
    Map<String, Double> published = new LinkedHashMap<>();
    String hosts = "";
    for (ReportedFigure one : figures) {
      String function = one.figure().function().orElseThrow();
      chart.add(PlotName.line(one.figure(), metric, figures, varying), function, one);
      if (one.published().isPresent()) {
        published.put(function, one.published().getAsDouble() / 1e6);
        hosts = one.publishedHosts();
      }
    }
    if (!published.isEmpty()) {
      chart.published("published, " + hosts, published);
    }
    return new Plot(
        SECTION,
        PlotName.file("function", metric),
        chart.of(
            TITLES.get(metric),
            Words.MEDIANS + (published.isEmpty() ? "" : Words.published(hosts, metric)),
            "function",
            Words.axis(metric)));
  }
}
