// SPDX-License-Identifier: Apache-2.0
package org.mitosis.report;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import org.mitosis.report.chart.Axis;
import org.mitosis.report.chart.Axis.Scale;
import org.mitosis.report.chart.Chart;
import org.mitosis.report.chart.Chart.Kind;
import org.mitosis.report.chart.Look;
import org.mitosis.result.Figure;
import org.mitosis.result.Run;
import org.mitosis.stats.Interval;

/** Of several runs: the times of each, divided by those of the first. */
final class RunRatioPlots {
  static final String SECTION = "Runs against each other";

  private static final List<String> METRICS =
      List.of("prepare", "resume", "startup", "execution", "firstResult");

  /** The ratio of a figure of a run to that of the first. */
  private record Ratio(ReportedFigure one, Chart.Point point) {
    Figure figure() {
      return one.figure();
    }
  }

  private RunRatioPlots() {}

  static List<Plot> of(List<Run> runs, List<ReportedFigure> figures) {
    List<Plot> plots = new ArrayList<>();
    if (runs.size() < 2) {
      return plots;
    }
    Map<String, List<Ratio>> byMetric = new LinkedHashMap<>();
    METRICS.forEach(metric -> byMetric.put(metric, new ArrayList<>()));
    for (Run run : runs.subList(1, runs.size())) {
      Map<Figure.Key, ReportedFigure> ofRun = new LinkedHashMap<>();
      figures.stream()
          .filter(one -> one.run() == run)
          .forEach(one -> ofRun.put(one.figure().key(), one));
      RunComparison comparison = RunComparison.of(runs.get(0), run);
      for (RunComparison.Row row : comparison.rows()) {
        ReportedFigure one = ofRun.get(row.figure().key());
        double ratio = row.comparison().ratio();
        if (one != null
            && one.isTime()
            && byMetric.containsKey(row.figure().metric())
            && Double.isFinite(ratio)
            && ratio > 0) {
          byMetric.get(row.figure().metric()).add(new Ratio(one, point(comparison, row, ratio)));
        }
      }
    }
    byMetric.forEach(
        (metric, ratios) -> {
          List<Ratio> sizes =
              ratios.stream()
                  .filter(one -> one.figure().memoryBytes().isPresent())
                  .filter(one -> !RatioPlots.shows(one.figure()))
                  .toList();
          List<Ratio> functions =
              ratios.stream().filter(one -> one.figure().function().isPresent()).toList();
          if (!sizes.isEmpty()) {
            plots.add(sizes(metric, runs, sizes));
          }
          if (!functions.isEmpty()) {
            plots.add(functions(metric, runs, functions));
          }
        });
    return plots;
  }

  private static Chart.Point point(RunComparison comparison, RunComparison.Row row, double ratio) {
    Optional<Interval> interval =
        comparison
            .intervalOf(row)
            .filter(one -> one.low() > 0 && one.low() <= ratio && one.high() >= ratio);
    return new Chart.Point(
        row.figure().memoryBytes().orElse(0L),
        ratio,
        interval.map(Interval::low).orElse(ratio),
        interval.map(Interval::high).orElse(ratio),
        Quantity.ratio(ratio)
            + " times"
            + interval
                .map(
                    one ->
                        " ("
                            + Quantity.ratio(one.low())
                            + " to "
                            + Quantity.ratio(one.high())
                            + ", "
                            + Math.round(one.confidence() * 100)
                            + " % interval)")
                .orElse(""));
  }

  private static Plot sizes(String metric, List<Run> runs, List<Ratio> ratios) {
    List<ReportedFigure> together = ratios.stream().map(Ratio::one).toList();
    Set<String> varying = PlotName.varying(together);
    Lines lines = new Lines(runs);
    double low = Double.POSITIVE_INFINITY;
    double high = 0;
    for (Ratio ratio : ratios) {
      lines.add(
          ratio.one().run(),
          PlotName.line(ratio.figure(), metric, together, varying),
          ratio.point());
      low = Math.min(low, ratio.point().x());
      high = Math.max(high, ratio.point().x());
    }
    List<Chart.Series> series = lines.series();
    List<Chart.Point> one = List.of(Chart.Point.of(low, 1), Chart.Point.of(high, 1));
    series.add(new Chart.Series("A: as long", Kind.LEVEL, Look.PUBLISHED, one));
    return new Plot(
        SECTION,
        PlotName.file("runs", metric),
        new Chart(
            title(metric),
            caption(runs),
            Axis.of("working set", Scale.BYTES),
            Axis.of("ratio of times", Scale.RATIO),
            series));
  }

  private static Plot functions(String metric, List<Run> runs, List<Ratio> ratios) {
    List<ReportedFigure> together = ratios.stream().map(Ratio::one).toList();
    Set<String> varying = PlotName.varying(together);
    NameChart chart = new NameChart(runs);
    for (Ratio ratio : ratios) {
      chart.add(
          ratio.one().run(),
          PlotName.line(ratio.figure(), metric, together, varying),
          ratio.figure().function().orElseThrow(),
          ratio.point());
    }
    return new Plot(
        SECTION,
        PlotName.file("runs-function", metric),
        chart.of(
            title(metric) + ", functions",
            caption(runs),
            "function",
            Axis.of("ratio of times", Scale.RATIO)));
  }

  private static String title(String metric) {
    return "Ratio to run A: " + Words.plain(metric);
  }

  private static String caption(List<Run> runs) {
    return "Medians divided by those of A ("
        + runs.get(0).name()
        + "): below 1 is faster. Bars: intervals of the ratio, widened by what the machine changed"
        + " between the runs.";
  }
}
