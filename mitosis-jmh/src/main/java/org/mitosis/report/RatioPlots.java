// SPDX-License-Identifier: Apache-2.0
package org.mitosis.report;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import org.mitosis.report.chart.Axis;
import org.mitosis.report.chart.Axis.Scale;
import org.mitosis.report.chart.Chart;
import org.mitosis.result.Figure;
import org.mitosis.result.Run;

/** Times against the share of the pages that a child touches. */
final class RatioPlots {
  static final String SECTION = "Touch ratio";

  private static final String PARAMETER = "touchRatio";

  private RatioPlots() {}

  static List<Plot> of(List<Run> runs, List<ReportedFigure> figures) {
    Map<String, List<ReportedFigure>> byMetric = new LinkedHashMap<>();
    for (ReportedFigure one : figures) {
      if (one.isTime() && shows(one.figure())) {
        byMetric.computeIfAbsent(one.figure().metric(), key -> new ArrayList<>()).add(one);
      }
    }
    List<Plot> plots = new ArrayList<>();
    byMetric.forEach((metric, some) -> plots.add(plot(metric, runs, some)));
    return plots;
  }

  /** Whether a figure is in these plots. */
  static boolean shows(Figure figure) {
    return ratio(figure).isPresent();
  }

  private static Optional<Integer> ratio(Figure figure) {
    String ratio = figure.params().getOrDefault(PARAMETER, "");
    return ratio.matches("[0-9]{1,3}") ? Optional.of(Integer.valueOf(ratio)) : Optional.empty();
  }

  private static Plot plot(String metric, List<Run> runs, List<ReportedFigure> figures) {
    Set<String> varying = new TreeSet<>(PlotName.varying(figures));
    varying.remove(PARAMETER);
    Lines lines = new Lines(runs);
    for (ReportedFigure one : figures) {
      String size = one.figure().memoryBytes().map(Quantity::bytes).orElse("all");
      lines.add(
          one.run(),
          PlotName.line(one.figure(), metric, figures, varying) + ", " + size,
          one.point(ratio(one.figure()).orElseThrow()));
    }
    return new Plot(
        SECTION,
        PlotName.file("touch-ratio", metric),
        new Chart(
            "Touch ratio: " + Words.plain(metric) + " against the share of pages touched",
            Words.MEDIANS,
            Axis.of("pages touched, %", Scale.LINEAR),
            Axis.of(Words.axis(metric), Scale.LINEAR),
            lines.series()));
  }
}
