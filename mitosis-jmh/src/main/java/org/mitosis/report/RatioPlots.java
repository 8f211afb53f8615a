// SPDX-License-Identifier: Apache-2.0
package org.mitosis.report;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import org.knowm.xchart.XYChart;
import org.knowm.xchart.XYSeries;
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
    String title = "Touch ratio: " + metric;
    XYChart chart = PlotStyle.xy(title, "pages touched, %", "ms");
    chart.getStyler().setYAxisMin(0.0);
    chart.getStyler().setYAxisTickLabelsFormattingFunction(Quantity::trimmed);
    Set<String> varying = new TreeSet<>(PlotName.varying(figures));
    varying.remove(PARAMETER);
    Map<String, List<ReportedFigure>> lines = new LinkedHashMap<>();
    for (ReportedFigure one : figures) {
      String size = one.figure().memoryBytes().map(Quantity::bytes).orElse("all");
      lines
          .computeIfAbsent(
              PlotName.run(one.run(), runs)
                  + PlotName.line(one.figure(), metric, figures, varying)
                  + ", "
                  + size,
              key -> new ArrayList<>())
          .add(one);
    }
    int at = 0;
    for (Map.Entry<String, List<ReportedFigure>> line : lines.entrySet()) {
      List<ReportedFigure> sorted =
          line.getValue().stream()
              .sorted(Comparator.comparing(one -> ratio(one.figure()).orElseThrow()))
              .toList();
      XYSeries series =
          chart.addSeries(
              line.getKey(),
              sorted.stream().map(one -> ratio(one.figure()).orElseThrow()).toList(),
              sorted.stream().map(ReportedFigure::medianMs).toList());
      series.setLineColor(PlotStyle.color(at));
      series.setLineStyle(PlotStyle.SOLID);
      series.setMarkerColor(PlotStyle.color(at));
      series.setMarker(PlotStyle.marker(at++));
    }
    return new Plot(SECTION, PlotName.file("touch-ratio", metric), title, "", chart);
  }
}
