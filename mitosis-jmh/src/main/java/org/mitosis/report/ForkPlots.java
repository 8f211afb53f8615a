// SPDX-License-Identifier: Apache-2.0
package org.mitosis.report;

import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.Set;
import org.mitosis.report.chart.Axis;
import org.mitosis.report.chart.Axis.Scale;
import org.mitosis.report.chart.Chart;
import org.mitosis.report.chart.Chart.Kind;
import org.mitosis.report.chart.Look;
import org.mitosis.result.Figure;
import org.mitosis.result.Run;
import org.mitosis.stats.ValueCounts;

/** The samples of each fork as an empirical distribution, of the figures at the top of the page. */
final class ForkPlots {
  static final String SECTION = "Forks beside each other";

  private static final double NS_PER_MS = 1e6;
  private static final int FEWEST_SAMPLES = 20;

  private ForkPlots() {}

  static List<Plot> of(List<Run> runs, List<ReportedFigure> figures) {
    List<ReportedFigure> shown =
        KeyFigure.chosen(figures).stream()
            .flatMap(
                key ->
                    figures.stream().filter(one -> one.figure().key().equals(key.figure().key())))
            .filter(one -> one.isTime())
            .toList();
    Set<String> varying = PlotName.varying(shown);
    List<Plot> plots = new ArrayList<>();
    for (ReportedFigure one : shown) {
      List<Chart.Series> series = new ArrayList<>();
      for (Figure.Fork fork : one.figure().forks()) {
        ValueCounts samples =
            ValueCounts.joined(
                fork.points().stream()
                    .map(Figure.Point::samples)
                    .filter(Objects::nonNull)
                    .toList());
        if (samples.total() >= FEWEST_SAMPLES && samples.min() > 0) {
          series.add(
              new Chart.Series(
                  "fork " + fork.number(), Kind.CURVE, Look.of(series.size()), points(samples)));
        }
      }
      if (series.isEmpty()) {
        continue;
      }
      String name =
          PlotName.run(one.run(), runs)
              + one.figure().shortName()
              + ", "
              + Words.plain(one.figure().metric())
              + ", "
              + PlotName.trace(one.figure());
      plots.add(
          new Plot(
              SECTION,
              PlotName.file("forks", name),
              new Chart(
                  name + PlotName.settings(one.figure(), varying),
                  "The share of a fork's samples that took no longer, over all of its iterations."
                      + " Forks that lie apart say that their number limits the certainty, not"
                      + " that of the samples.",
                  Axis.of(Words.axis(one.figure().metric()), Scale.LOGARITHMIC),
                  Axis.of("share of samples, %", Scale.LINEAR),
                  series)));
    }
    return plots;
  }

  private static List<Chart.Point> points(ValueCounts samples) {
    List<Chart.Point> points = new ArrayList<>();
    for (int percent = 0; percent <= 100; percent++) {
      points.add(Chart.Point.of(samples.atPercentile(percent) / NS_PER_MS, percent));
    }
    return points;
  }
}
