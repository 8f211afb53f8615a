// SPDX-License-Identifier: Apache-2.0
package org.mitosis.report;

import java.awt.Color;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import org.knowm.xchart.XYChart;
import org.knowm.xchart.XYSeries;
import org.knowm.xchart.XYSeries.XYSeriesRenderStyle;
import org.knowm.xchart.style.markers.SeriesMarkers;
import org.mitosis.result.Figure;
import org.mitosis.result.Run;

/** Children per second over the time of a peak run, with the stable interval. */
final class ThroughputPlots {
  static final String SECTION = "Throughput over time";

  private static final String EVERY_CHILD = "child";
  private static final double MS_PER_S = 1e3;

  /** Opacity of all shades together: the lines stay visible. */
  private static final int SHADE_ALPHA = 90;

  private static final double HEADROOM = 1.15;

  private ThroughputPlots() {}

  static List<Plot> of(List<Run> runs, List<ReportedFigure> figures) {
    List<ReportedFigure> peaks =
        figures.stream()
            .filter(one -> one.figure().metric().equals(EVERY_CHILD))
            .filter(one -> one.figure().className().equals("PeakThroughput"))
            .toList();
    Set<String> varying = PlotName.varying(peaks);
    return peaks.stream().map(one -> plot(one, runs, varying)).toList();
  }

  private static Plot plot(ReportedFigure one, List<Run> runs, Set<String> varying) {
    Figure figure = one.figure();
    String of = PlotName.trace(figure);
    String settings = PlotName.settings(figure, varying);
    String title = PlotName.run(one.run(), runs) + "Peak throughput: " + of + settings;
    XYChart chart = PlotStyle.xy(title, "seconds", "children per second");
    chart.getStyler().setYAxisMin(0.0);
    double most = 0;
    for (Figure.Fork fork : figure.forks()) {
      for (Figure.Point point : fork.points()) {
        most = Math.max(most, rate(point));
      }
    }
    for (Figure.Fork fork : figure.forks()) {
      shade(chart, one, fork, most * HEADROOM);
    }
    for (Figure.Fork fork : figure.forks()) {
      line(chart, fork);
    }
    chart.getStyler().setYAxisMax(most * HEADROOM);
    return new Plot(
        SECTION,
        PlotName.file(
            "throughput", PlotName.run(one.run(), runs), figure.shortName(), of, settings),
        title,
        "Shaded: the stable interval of each fork, which its peak is counted over. Without shade"
            + " there was none, and the peak is over all of the run.",
        chart);
  }

  private static void line(XYChart chart, Figure.Fork fork) {
    if (fork.points().isEmpty()) {
      return;
    }
    long startMs = fork.points().get(0).startMs();
    List<Double> x = new ArrayList<>();
    List<Double> y = new ArrayList<>();
    for (Figure.Point point : fork.points()) {
      if (point.endMs() > point.startMs()) {
        // A step for each slice, because its rate is a mean over the slice.
        x.addAll(
            List.of((point.startMs() - startMs) / MS_PER_S, (point.endMs() - startMs) / MS_PER_S));
        y.addAll(List.of(rate(point), rate(point)));
      }
    }
    if (x.isEmpty()) {
      return;
    }
    XYSeries series = chart.addSeries("fork " + fork.number(), x, y);
    series.setLineColor(PlotStyle.color(fork.number() - 1));
    series.setLineStyle(PlotStyle.SOLID);
    series.setMarker(SeriesMarkers.NONE);
  }

  private static void shade(XYChart chart, ReportedFigure one, Figure.Fork fork, double height) {
    Optional<Double> stable = note(one, "stable", fork.number());
    Optional<Double> from = note(one, "stableFrom", fork.number());
    Optional<Double> to = note(one, "stableTo", fork.number());
    if (stable.isEmpty() || stable.get() < 1 || from.isEmpty() || to.isEmpty()) {
      return;
    }
    XYSeries area =
        chart.addSeries(
            "stable in fork " + fork.number(),
            new double[] {from.get(), to.get()},
            new double[] {height, height});
    Color color = PlotStyle.color(fork.number() - 1);
    int alpha = SHADE_ALPHA / (one.figure().forks().size() + 1);
    area.setXYSeriesRenderStyle(XYSeriesRenderStyle.Area);
    area.setFillColor(new Color(color.getRed(), color.getGreen(), color.getBlue(), alpha));
    area.setLineColor(new Color(0, 0, 0, 0));
    area.setMarker(SeriesMarkers.NONE);
    area.setShowInLegend(false);
  }

  private static Optional<Double> note(ReportedFigure one, String metric, int fork) {
    return one.run().figures().stream()
        .filter(figure -> figure.metric().equals(metric))
        .filter(figure -> figure.benchmark().equals(one.figure().benchmark()))
        .filter(figure -> figure.params().equals(one.figure().params()))
        .flatMap(figure -> figure.forks().stream())
        .filter(other -> other.number() == fork && !other.points().isEmpty())
        .map(other -> other.points().get(0).value())
        .findFirst();
  }

  private static double rate(Figure.Point point) {
    long ms = point.endMs() - point.startMs();
    return ms <= 0 || point.samples() == null ? 0 : point.samples().total() * MS_PER_S / ms;
  }
}
