// SPDX-License-Identifier: Apache-2.0
package org.mitosis.report;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.OptionalDouble;
import java.util.Set;
import java.util.TreeMap;
import org.mitosis.report.chart.Axis;
import org.mitosis.report.chart.Axis.Scale;
import org.mitosis.report.chart.Chart;
import org.mitosis.report.chart.Chart.Kind;
import org.mitosis.report.chart.Look;
import org.mitosis.result.Figure;
import org.mitosis.result.ReferenceFigures;
import org.mitosis.result.Run;

/** Times against the size of the working set, both axes logarithmic, beside published figures. */
final class SizePlots {
  static final String SECTION = "Latency against memory size";

  /** More are hard to tell apart without colours. */
  private static final int MOST_LINES = 24;

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
      return List.of(plot(metric, "", runs, lines));
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
          plots.add(plot(metric, name, runs, some));
        });
    return plots;
  }

  private static Plot plot(
      String metric, String part, List<Run> runs, Map<String, List<ReportedFigure>> lines) {
    List<Chart.Series> series = new ArrayList<>();
    double[] range = range(lines);
    Looks looks = new Looks(runs);
    lines.forEach((name, line) -> addLine(series, name, line, looks, range, runs));
    String caption = Words.MEDIANS + addPublished(series, lines);
    return new Plot(
        SECTION,
        PlotName.file("size", metric, part),
        new Chart(
            Words.title(metric) + (part.isEmpty() ? "" : " (" + part + ")"),
            caption,
            Axis.of("working set", Scale.BYTES),
            Axis.of(Words.axis(metric), Scale.LOGARITHMIC),
            series));
  }

  private static double[] range(Map<String, List<ReportedFigure>> lines) {
    double[] bytes =
        lines.values().stream()
            .flatMap(List::stream)
            .flatMap(one -> one.figure().memoryBytes().stream())
            .mapToDouble(Long::doubleValue)
            .sorted()
            .toArray();
    return new double[] {bytes[0], bytes[bytes.length - 1]};
  }

  private static void addLine(
      List<Chart.Series> series,
      String name,
      List<ReportedFigure> line,
      Looks looks,
      double[] range,
      List<Run> runs) {
    boolean level = line.get(0).figure().memoryBytes().isEmpty();
    List<Chart.Point> points = new ArrayList<>();
    line.stream()
        .filter(one -> one.medianMs() > 0)
        .sorted(Comparator.comparing(one -> one.figure().memoryBytes().orElse(0L)))
        .forEach(
            one -> {
              if (level) {
                String label = one.point(0).label();
                for (double x : range) {
                  double y = one.medianMs();
                  points.add(new Chart.Point(x, y, y, y, label));
                }
              } else {
                points.add(one.point(one.figure().memoryBytes().orElseThrow()));
              }
            });
    if (!points.isEmpty()) {
      Run run = line.get(0).run();
      String ofAllRuns = name.substring(PlotName.run(run, runs).length());
      series.add(
          new Chart.Series(name, level ? Kind.LEVEL : Kind.LINE, looks.of(run, ofAllRuns), points));
    }
  }

  /** Adds the published line if there is one, and returns the sentence on it. */
  private static String addPublished(
      List<Chart.Series> series, Map<String, List<ReportedFigure>> lines) {
    for (List<ReportedFigure> line : lines.values()) {
      Figure figure = line.get(0).figure();
      if (line.stream().noneMatch(one -> one.published().isPresent())) {
        continue;
      }
      ReferenceFigures known =
          ReferenceFigures.ofBenchmark(figure.shortName(), figure.metric()).orElseThrow();
      List<Chart.Point> points = new ArrayList<>();
      for (String trace : known.traces()) {
        OptionalDouble ms = known.medianMs(trace, figure.metric());
        if (ms.isPresent()) {
          points.add(Chart.Point.of(Long.parseLong(trace), ms.getAsDouble()));
        }
      }
      series.add(
          new Chart.Series("published, " + known.hosts(), Kind.LINE, Look.PUBLISHED, points));
      return Words.published(known.hosts(), figure.metric());
    }
    return "";
  }
}
