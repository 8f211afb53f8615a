// SPDX-License-Identifier: Apache-2.0
package org.mitosis.report;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.mitosis.report.chart.Axis;
import org.mitosis.report.chart.Axis.Scale;
import org.mitosis.report.chart.Chart;
import org.mitosis.report.chart.Chart.Kind;
import org.mitosis.report.chart.Look;
import org.mitosis.result.Run;
import org.mitosis.stats.ValueCounts;

/** Times by percentile, of figures with enough samples. */
final class PercentilePlots {
  static final String SECTION = "Percentiles";

  private static final List<String> METRICS =
      List.of("prepare", "resume", "startup", "execution", "firstResult");

  private static final Set<String> LAST =
      Set.of("Baseline", "EmptyContainer", "HarnessOverhead", "PeakThroughput", "TouchRatio");

  private static final double NS_PER_MS = 1e6;
  private static final int FEWEST_SAMPLES = 100;
  private static final int STEPS_PER_DECADE = 12;
  private static final int MOST_LINES = 24;
  private static final int MOST_PLOTS = 24;

  private PercentilePlots() {}

  static List<Plot> of(List<Run> runs, List<ReportedFigure> figures) {
    Set<String> varying = PlotName.varying(figures);
    Map<String, List<ReportedFigure>> byChart = new LinkedHashMap<>();
    for (ReportedFigure one : oursFirst(figures)) {
      boolean enough =
          one.estimate().allSamples().isPresent()
              && one.estimate().summary().count() >= FEWEST_SAMPLES;
      if (enough && METRICS.contains(one.figure().metric())) {
        byChart
            .computeIfAbsent(
                PlotName.run(one.run(), runs)
                    + one.figure().shortName()
                    + ", "
                    + one.figure().metric()
                    + PlotName.settings(one.figure(), varying),
                key -> new ArrayList<>())
            .add(one);
      }
    }
    List<Plot> plots = new ArrayList<>();
    int leftOut = Math.max(0, byChart.size() - MOST_PLOTS);
    byChart.forEach(
        (title, some) -> {
          if (plots.size() < MOST_PLOTS) {
            plots.add(plot(title, some, plots.size() + 1 < MOST_PLOTS ? 0 : leftOut));
          }
        });
    return plots;
  }

  /** If there are too many figures, leaves out baselines and those with other plots first. */
  private static List<ReportedFigure> oursFirst(List<ReportedFigure> figures) {
    return figures.stream()
        .sorted(Comparator.comparing(one -> LAST.contains(one.figure().className())))
        .toList();
  }

  private static Plot plot(String title, List<ReportedFigure> figures, int leftOut) {
    List<Chart.Series> series = new ArrayList<>();
    for (ReportedFigure one : figures) {
      List<Chart.Point> points = points(one);
      if (!points.isEmpty() && series.size() < MOST_LINES) {
        series.add(
            new Chart.Series(
                PlotName.trace(one.figure()), Kind.CURVE, Look.of(series.size()), points));
      }
    }
    return new Plot(
        SECTION,
        PlotName.file("percentiles", title),
        new Chart(
            title,
            "All samples of the steady parts of all forks: this share of them took no longer."
                + (figures.size() > MOST_LINES
                    ? " The first " + MOST_LINES + " of " + figures.size() + "; the table has all."
                    : "")
                + (leftOut > 0
                    ? " "
                        + leftOut
                        + " more charts like this are left out; the table has their percentiles."
                    : ""),
            Axis.of("percentile", Scale.PERCENTILE),
            Axis.of(Words.axis(figures.get(0).figure().metric()), Scale.LOGARITHMIC),
            series));
  }

  private static List<Chart.Point> points(ReportedFigure one) {
    ValueCounts samples = one.estimate().allSamples().orElseThrow();
    List<Chart.Point> points = new ArrayList<>();
    // 1/(1-p): the share of samples that are slower shrinks by the same factor at each step.
    for (int step = 0; ; step++) {
      double inverse = Math.pow(10, step / (double) STEPS_PER_DECADE);
      if (inverse > samples.total()) {
        break;
      }
      long ns = samples.atPercentile(100 - 100 / inverse);
      if (ns > 0) {
        points.add(Chart.Point.of(inverse, ns / NS_PER_MS));
      }
    }
    return points;
  }
}
