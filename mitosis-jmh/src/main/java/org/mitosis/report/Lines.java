// SPDX-License-Identifier: Apache-2.0
package org.mitosis.report;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.mitosis.report.chart.Chart;
import org.mitosis.report.chart.Look;
import org.mitosis.result.Run;

/** The lines of a chart, each of one run, while their points are collected. */
final class Lines {
  private final List<Run> runs;
  private final Looks looks;
  private final Map<String, Look> lookOf = new LinkedHashMap<>();
  private final Map<String, List<Chart.Point>> points = new LinkedHashMap<>();

  Lines(List<Run> runs) {
    this.runs = runs;
    looks = new Looks(runs);
  }

  /**
   * Adds a point to a line, which is a new one if there is none of that name.
   *
   * @param line the name without the letter of its run
   */
  void add(Run run, String line, Chart.Point point) {
    String name = PlotName.run(run, runs) + line;
    lookOf.put(name, looks.of(run, line));
    points.computeIfAbsent(name, key -> new ArrayList<>()).add(point);
  }

  /** The lines in the order of their first points, each from left to right. */
  List<Chart.Series> series() {
    List<Chart.Series> series = new ArrayList<>();
    points.forEach(
        (name, line) ->
            series.add(
                new Chart.Series(
                    name,
                    Chart.Kind.LINE,
                    lookOf.get(name),
                    line.stream().sorted(Comparator.comparing(Chart.Point::x)).toList())));
    return series;
  }
}
