// SPDX-License-Identifier: Apache-2.0
package org.mitosis.report;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.OptionalDouble;
import java.util.Set;
import java.util.TreeMap;
import org.knowm.xchart.XYChart;
import org.knowm.xchart.XYSeries;
import org.knowm.xchart.style.markers.SeriesMarkers;
import org.mitosis.result.Figure;
import org.mitosis.result.ReferenceFigures;
import org.mitosis.result.Run;

/** Times against the size of the working set, both axes logarithmic, beside published figures. */
final class SizePlots {
  static final String SECTION = "Latency against memory size";

  private static final double BYTES_PER_MIB = 1 << 20;
  private static final double NS_PER_MS = 1e6;
  private static final int MOST_LINES = 10;

  /** Baselines and lower bounds that are drawn beside a figure, by metric. */
  private static final Map<String, String> BESIDE =
      Map.ofEntries(
          Map.entry("fork", "prepare"),
          Map.entry("criuDump", "prepare"),
          Map.entry("criuRestore", "resume"),
          Map.entry("criuLazy", "resume"),
          Map.entry("criuLazyTcp", "resume"),
          Map.entry("spawn", "startup"),
          Map.entry("jvmStart", "startup"),
          Map.entry("cow", "execution"),
          Map.entry("uffdCopy", "execution"),
          Map.entry("tcpCopy", "execution"),
          Map.entry("criuLazyTouch", "execution"),
          Map.entry("criuLazyTcpTouch", "execution"));

  /** Benchmarks without a size that are a floor: a level line. */
  private static final Set<String> LEVELS =
      Set.of("EmptyContainer.lean", "Baseline.spawn", "Baseline.jvmStart");

  private static final Map<String, String> WORDS =
      Map.of(
          "prepare", "Prepare: how long the parent stands still",
          "resume", "Resume: until the child's first instruction",
          "startup", "Startup: from the request until the child has ended",
          "execution", "Execution: the child touches all its pages",
          "firstResult", "First result: from resume until the handler's first result");

  private SizePlots() {}

  static List<Plot> of(List<Run> runs, List<ReportedFigure> figures) {
    Map<String, List<ReportedFigure>> byMetric = new LinkedHashMap<>();
    for (ReportedFigure one : figures) {
      boolean level = LEVELS.contains(one.figure().shortName());
      boolean elsewhere = RatioPlots.shows(one.figure());
      if (one.isTime() && !elsewhere && (one.figure().memoryBytes().isPresent() || level)) {
        byMetric.computeIfAbsent(metricOf(one.figure()), key -> new ArrayList<>()).add(one);
      }
    }
    List<Plot> plots = new ArrayList<>();
    order(byMetric.keySet())
        .forEach(metric -> plots.addAll(plots(metric, runs, byMetric.get(metric))));
    return plots;
  }

  private static List<String> order(Set<String> metrics) {
    List<String> known = List.of("prepare", "resume", "startup", "execution", "firstResult");
    return metrics.stream()
        .sorted(
            Comparator.comparingInt(
                    (String metric) ->
                        known.contains(metric) ? known.indexOf(metric) : known.size())
                .thenComparing(metric -> metric))
        .toList();
  }

  private static String metricOf(Figure figure) {
    return figure.metric().equals(Figure.SCORE)
        ? figure.shortName()
        : BESIDE.getOrDefault(figure.metric(), figure.metric());
  }

  private static List<Plot> plots(String metric, List<Run> runs, List<ReportedFigure> figures) {
    Set<String> varying = PlotName.varying(figures);
    Map<String, List<ReportedFigure>> lines = new LinkedHashMap<>();
    for (ReportedFigure one : figures) {
      lines
          .computeIfAbsent(
              PlotName.run(one.run(), runs) + PlotName.line(one.figure(), metric, figures, varying),
              key -> new ArrayList<>())
          .add(one);
    }
    lines
        .values()
        .removeIf(line -> line.size() < 2 && !LEVELS.contains(line.get(0).figure().shortName()));
    boolean noSize =
        lines.values().stream().allMatch(line -> line.get(0).figure().memoryBytes().isEmpty());
    if (noSize) {
      return List.of();
    }
    if (lines.size() <= MOST_LINES) {
      return List.of(plot(metric, "", lines));
    }
    Map<String, List<ReportedFigure>> levels = new LinkedHashMap<>(lines);
    levels.values().removeIf(line -> line.get(0).figure().memoryBytes().isPresent());
    Map<String, Map<String, List<ReportedFigure>>> byClass = new TreeMap<>();
    lines.forEach(
        (name, line) -> {
          if (!levels.containsKey(name)) {
            byClass
                .computeIfAbsent(line.get(0).figure().className(), key -> new LinkedHashMap<>())
                .put(name, line);
          }
        });
    List<Plot> plots = new ArrayList<>();
    byClass.forEach(
        (name, some) -> {
          some.putAll(levels);
          plots.add(plot(metric, name, some));
        });
    return plots;
  }

  private static Plot plot(String metric, String part, Map<String, List<ReportedFigure>> lines) {
    String title = WORDS.getOrDefault(metric, metric) + (part.isEmpty() ? "" : " (" + part + ")");
    XYChart chart = PlotStyle.xy(title, "working set, MiB", "ms");
    chart.getStyler().setXAxisLogarithmic(true);
    chart.getStyler().setXAxisTickLabelsFormattingFunction(PlotStyle::tick);
    double[] range = range(lines);
    int at = 0;
    for (Map.Entry<String, List<ReportedFigure>> line : lines.entrySet()) {
      addLine(chart, line.getKey(), line.getValue(), at++, range);
    }
    addPublished(chart, lines);
    PlotStyle.logarithmic(
        chart.getStyler(),
        chart.getSeriesCollection().stream().flatMapToDouble(one -> Arrays.stream(one.getYData())));
    return new Plot(
        SECTION,
        PlotName.file("size", metric, part),
        title,
        "Medians over forks; the bars are their intervals, and the table says how sure those are.",
        chart);
  }

  private static double[] range(Map<String, List<ReportedFigure>> lines) {
    double[] mib =
        lines.values().stream()
            .flatMap(List::stream)
            .flatMap(one -> one.figure().memoryBytes().stream())
            .mapToDouble(bytes -> bytes / BYTES_PER_MIB)
            .sorted()
            .toArray();
    return new double[] {mib[0], mib[mib.length - 1]};
  }

  private static void addLine(
      XYChart chart, String name, List<ReportedFigure> line, int at, double[] range) {
    boolean level = line.get(0).figure().memoryBytes().isEmpty();
    List<Double> x = new ArrayList<>();
    List<Double> y = new ArrayList<>();
    List<ReportedFigure> sorted =
        line.stream()
            .filter(one -> one.medianMs() > 0)
            .sorted(Comparator.comparing(one -> one.figure().memoryBytes().orElse(0L)))
            .toList();
    if (sorted.isEmpty()) {
      return;
    }
    for (ReportedFigure one : sorted) {
      double mib = one.figure().memoryBytes().orElse(0L) / BYTES_PER_MIB;
      if (level) {
        x.addAll(List.of(range[0], range[1]));
        y.addAll(List.of(one.medianMs(), one.medianMs()));
      } else {
        x.add(mib);
        y.add(one.medianMs());
        addInterval(chart, name + " at " + mib, one, mib, at);
      }
    }
    XYSeries series = chart.addSeries(name, x, y);
    series.setLineColor(PlotStyle.color(at));
    series.setLineStyle(level ? PlotStyle.THIN : PlotStyle.SOLID);
    series.setMarkerColor(PlotStyle.color(at));
    series.setMarker(level ? SeriesMarkers.NONE : PlotStyle.marker(at));
  }

  private static void addInterval(
      XYChart chart, String name, ReportedFigure one, double mib, int at) {
    one.estimate()
        .interval()
        .filter(interval -> interval.low() > 0 && interval.high() > interval.low())
        .ifPresent(
            interval -> {
              XYSeries bar =
                  chart.addSeries(
                      name,
                      new double[] {mib, mib},
                      new double[] {interval.low() / NS_PER_MS, interval.high() / NS_PER_MS});
              bar.setShowInLegend(false);
              bar.setMarker(SeriesMarkers.NONE);
              bar.setLineColor(PlotStyle.color(at));
              bar.setLineStyle(PlotStyle.THIN);
            });
  }

  private static void addPublished(XYChart chart, Map<String, List<ReportedFigure>> lines) {
    for (List<ReportedFigure> line : lines.values()) {
      Figure figure = line.get(0).figure();
      if (line.stream().noneMatch(one -> one.published().isPresent())) {
        continue;
      }
      ReferenceFigures known =
          ReferenceFigures.ofBenchmark(figure.shortName(), figure.metric()).orElseThrow();
      List<Double> x = new ArrayList<>();
      List<Double> y = new ArrayList<>();
      for (String trace : known.traces()) {
        OptionalDouble ms = known.medianMs(trace, figure.metric());
        if (ms.isPresent()) {
          x.add(Long.parseLong(trace) / BYTES_PER_MIB);
          y.add(ms.getAsDouble());
        }
      }
      XYSeries series = chart.addSeries("published, " + known.hosts(), x, y);
      series.setLineColor(PlotStyle.PUBLISHED);
      series.setLineStyle(PlotStyle.DASHED);
      series.setMarker(SeriesMarkers.CROSS);
      series.setMarkerColor(PlotStyle.PUBLISHED);
      return;
    }
  }
}
