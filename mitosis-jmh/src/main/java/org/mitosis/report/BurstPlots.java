// SPDX-License-Identifier: Apache-2.0
package org.mitosis.report;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.function.ToDoubleFunction;
import org.mitosis.report.chart.Axis;
import org.mitosis.report.chart.Axis.Scale;
import org.mitosis.report.chart.Chart;
import org.mitosis.report.chart.Chart.Kind;
import org.mitosis.report.chart.Look;
import org.mitosis.result.Figure;
import org.mitosis.result.Run;
import org.mitosis.stats.ValueCounts;

/** What a burst of children has reached over time, and their memory over their number. */
final class BurstPlots {
  static final String SECTION = "Bursts";

  private static final double NS_PER_MS = 1e6;
  private static final double PAGES_PER_MIB = 256;
  private static final int STEPS = 200;

  private static final List<Curve> CURVES =
      List.of(
          new Curve("untilInstruction", "first instructions", "children", total -> total),
          new Curve("untilResult", "first results", "children", total -> total),
          new Curve(
              "untilSent", "bytes on the parent's link", "MiB", total -> total / PAGES_PER_MIB));

  /**
   * A metric whose samples are times since the start of the burst.
   *
   * @param shows what has happened at each of them
   * @param unit of its sum
   * @param scale from a number of samples to that unit
   */
  private record Curve(String metric, String shows, String unit, ToDoubleFunction<Double> scale) {}

  private BurstPlots() {}

  static List<Plot> of(List<Run> runs, List<ReportedFigure> figures) {
    List<ReportedFigure> bursts =
        figures.stream().filter(one -> one.figure().className().equals("Burst")).toList();
    Set<String> varying = PlotName.varying(bursts);
    List<Plot> plots = new ArrayList<>();
    for (Curve curve : CURVES) {
      byTrace(runs, bursts, curve.metric())
          .forEach((title, some) -> plots.add(overTime(curve, title, some, varying)));
    }
    byTrace(runs, bursts, "childMemory")
        .forEach(
            (title, some) -> {
              Plot plot = memory(title, some, varying);
              if (!plot.chart().series().isEmpty()) {
                plots.add(plot);
              }
            });
    return plots;
  }

  private static Map<String, List<ReportedFigure>> byTrace(
      List<Run> runs, List<ReportedFigure> bursts, String metric) {
    Map<String, List<ReportedFigure>> byTrace = new LinkedHashMap<>();
    for (ReportedFigure one : bursts) {
      if (one.figure().metric().equals(metric)) {
        byTrace
            .computeIfAbsent(
                PlotName.run(one.run(), runs)
                    + one.figure().shortName()
                    + ", "
                    + PlotName.trace(one.figure()),
                title -> new ArrayList<>())
            .add(one);
      }
    }
    return byTrace;
  }

  private static Plot overTime(
      Curve curve, String of, List<ReportedFigure> figures, Set<String> varying) {
    List<Chart.Series> series = new ArrayList<>();
    for (ReportedFigure one : figures) {
      for (Figure.Fork fork : one.figure().forks()) {
        add(series, name(one, fork, varying), points(curve, fork));
      }
    }
    return new Plot(
        SECTION,
        PlotName.file("burst", curve.metric(), of),
        new Chart(
            of + ": " + curve.shows(),
            "One line for each fork: the mean of its bursts.",
            Axis.of("time since the start of the burst, ms", Scale.LINEAR),
            Axis.of(curve.unit(), Scale.LINEAR),
            series));
  }

  private static List<Chart.Point> points(Curve curve, Figure.Fork fork) {
    List<ValueCounts> bursts =
        fork.points().stream()
            .map(Figure.Point::samples)
            .filter(samples -> samples != null && samples.total() > 0)
            .toList();
    if (bursts.isEmpty()) {
      return List.of();
    }
    long iterations = fork.points().stream().map(Figure.Point::iteration).distinct().count();
    ValueCounts all = ValueCounts.joined(bursts);
    List<Chart.Point> points = new ArrayList<>(List.of(Chart.Point.of(0, 0)));
    for (int step = 1; step <= STEPS; step++) {
      double percent = 100.0 * step / STEPS;
      points.add(
          Chart.Point.of(
              all.atPercentile(percent) / NS_PER_MS,
              curve.scale().applyAsDouble(all.total() * percent / 100 / iterations)));
    }
    return points;
  }

  private static Plot memory(String of, List<ReportedFigure> figures, Set<String> varying) {
    List<Chart.Series> series = new ArrayList<>();
    for (ReportedFigure one : figures) {
      for (Figure.Fork fork : one.figure().forks()) {
        List<Chart.Point> points = new ArrayList<>();
        memory(one, fork.number())
            .forEach((children, mebibytes) -> points.add(Chart.Point.of(children, mebibytes)));
        add(series, name(one, fork, varying), points);
      }
    }
    return new Plot(
        SECTION,
        PlotName.file("burst-memory", of),
        new Chart(
            of + ": memory of a child",
            "PSS of all children that live at once, by their number.",
            Axis.of("children that live at once", Scale.LINEAR),
            Axis.of("memory of each, MiB", Scale.LINEAR),
            series));
  }

  /** The memory of each child, by the number of children. */
  private static TreeMap<Double, Double> memory(ReportedFigure one, int fork) {
    TreeMap<Double, Double> points = new TreeMap<>();
    for (Figure figure : one.run().figures()) {
      boolean same =
          figure.metric().startsWith(Figure.MEMORY_OF)
              && figure.benchmark().equals(one.figure().benchmark())
              && figure.params().equals(one.figure().params());
      if (same) {
        figure.forks().stream()
            .filter(other -> other.number() == fork)
            .flatMap(other -> other.points().stream())
            .mapToDouble(Figure.Point::value)
            .average()
            .ifPresent(
                mean ->
                    points.put(
                        Double.valueOf(figure.metric().substring(Figure.MEMORY_OF.length())),
                        mean));
      }
    }
    return points;
  }

  private static String name(ReportedFigure one, Figure.Fork fork, Set<String> varying) {
    String settings = PlotName.settings(one.figure(), varying);
    return "fork " + fork.number() + settings;
  }

  private static void add(List<Chart.Series> series, String name, List<Chart.Point> points) {
    if (!points.isEmpty()) {
      series.add(new Chart.Series(name, Kind.CURVE, Look.of(series.size()), points));
    }
  }
}
