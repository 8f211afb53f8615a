// SPDX-License-Identifier: Apache-2.0
package org.mitosis.report;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeSet;
import org.mitosis.report.chart.Axis;
import org.mitosis.report.chart.Axis.Scale;
import org.mitosis.report.chart.Chart;
import org.mitosis.report.chart.Chart.Kind;
import org.mitosis.report.chart.Look;
import org.mitosis.result.Run;

/**
 * Medians by name, such as that of a function: points on a logarithmic axis, which has no zero for
 * bars to begin at.
 */
final class NameChart {
  /** The share of a name's place that its points take. */
  private static final double FILL = 0.7;

  /** A series, and its points by name. */
  private record Line(Look look, Map<String, Chart.Point> points) {}

  private final List<Run> runs;
  private final Looks looks;
  private final Map<String, Line> lines = new LinkedHashMap<>();
  private final TreeSet<String> names = new TreeSet<>();

  NameChart(List<Run> runs) {
    this.runs = runs;
    this.looks = new Looks(runs);
  }

  /**
   * Adds a figure.
   *
   * @param series without the letter of its run
   * @param name its place on the axis
   */
  void add(String series, String name, ReportedFigure one) {
    add(one.run(), series, name, one.point(0));
  }

  /** Adds a point, whose place is that of a name. */
  void add(Run run, String series, String name, Chart.Point point) {
    names.add(name);
    lines
        .computeIfAbsent(
            PlotName.run(run, runs) + series,
            key -> new Line(looks.of(run, series), new LinkedHashMap<>()))
        .points()
        .put(name, point);
  }

  /** Adds published medians in ms. */
  void published(String series, Map<String, Double> ms) {
    Line line = new Line(Look.PUBLISHED, new LinkedHashMap<>());
    ms.forEach(
        (name, value) -> {
          names.add(name);
          line.points().put(name, Chart.Point.of(0, value));
        });
    lines.put(series, line);
  }

  Chart of(String title, String caption, String x, String y) {
    return of(title, caption, x, Axis.of(y, Scale.LOGARITHMIC));
  }

  Chart of(String title, String caption, String x, Axis y) {
    List<String> places = List.copyOf(names);
    List<Chart.Series> series = new ArrayList<>();
    double step = FILL / lines.size();
    lines.forEach(
        (name, line) -> {
          // Side by side, so that intervals do not hide each other.
          double offset = (series.size() - (lines.size() - 1) / 2.0) * step;
          List<Chart.Point> points = new ArrayList<>();
          for (int at = 0; at < places.size(); at++) {
            Chart.Point point = line.points().get(places.get(at));
            if (point != null) {
              points.add(
                  new Chart.Point(
                      at + offset, point.y(), point.low(), point.high(), point.label()));
            }
          }
          series.add(new Chart.Series(name, Kind.DOTS, line.look(), points));
        });
    return new Chart(title, caption, Axis.ofCategories(x, places), y, series);
  }
}
