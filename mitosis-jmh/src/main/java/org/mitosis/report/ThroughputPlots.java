// SPDX-License-Identifier: Apache-2.0
package org.mitosis.report;

import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import org.mitosis.report.chart.Axis;
import org.mitosis.report.chart.Axis.Scale;
import org.mitosis.report.chart.Chart;
import org.mitosis.report.chart.Chart.Kind;
import org.mitosis.report.chart.Look;
import org.mitosis.result.Figure;
import org.mitosis.result.Run;

/** Children per second over the time of a peak run, with the stable interval. */
final class ThroughputPlots {
  static final String SECTION = "Throughput over time";

  private static final String EVERY_CHILD = "child";
  private static final double MS_PER_S = 1e3;

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
    List<Chart.Series> series = new ArrayList<>();
    List<Chart.Span> spans = new ArrayList<>();
    for (Figure.Fork fork : figure.forks()) {
      List<Chart.Point> points = points(fork);
      if (!points.isEmpty()) {
        Look look = new Look(Look.of(fork.number() - 1).color(), 0, (fork.number() - 1) % 5);
        series.add(new Chart.Series("fork " + fork.number(), Kind.CURVE, look, points));
        span(one, fork, look).ifPresent(spans::add);
      }
    }
    return new Plot(
        SECTION,
        PlotName.file(
            "throughput", PlotName.run(one.run(), runs), figure.shortName(), of, settings),
        new Chart(
            PlotName.run(one.run(), runs)
                + "Peak throughput: "
                + (of.equals("all") ? figure.shortName() : of)
                + settings,
            "Shaded: the stable interval of each fork, which its peak is counted over. Without"
                + " shade there was none, and the peak is over all of the run.",
            Axis.of("time since the first child, s", Scale.LINEAR),
            Axis.of("children per second", Scale.LINEAR),
            series,
            spans));
  }

  private static List<Chart.Point> points(Figure.Fork fork) {
    List<Chart.Point> points = new ArrayList<>();
    for (Figure.Point point : fork.points()) {
      if (point.endMs() > point.startMs()) {
        // A step for each slice, because its rate is a mean over the slice.
        long startMs = fork.points().get(0).startMs();
        for (long ms : new long[] {point.startMs(), point.endMs()}) {
          points.add(Chart.Point.of((ms - startMs) / MS_PER_S, rate(point)));
        }
      }
    }
    return points;
  }

  private static Optional<Chart.Span> span(ReportedFigure one, Figure.Fork fork, Look look) {
    Optional<Double> stable = note(one, "stable", fork.number());
    Optional<Double> from = note(one, "stableFrom", fork.number());
    Optional<Double> to = note(one, "stableTo", fork.number());
    return stable.isEmpty() || stable.get() < 1 || from.isEmpty() || to.isEmpty()
        ? Optional.empty()
        : Optional.of(new Chart.Span("fork " + fork.number(), from.get(), to.get(), look));
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
