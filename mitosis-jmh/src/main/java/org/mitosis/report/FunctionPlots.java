// SPDX-License-Identifier: Apache-2.0
package org.mitosis.report;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.DoubleStream;
import java.util.stream.Stream;
import org.knowm.xchart.CategoryChart;
import org.knowm.xchart.CategorySeries;
import org.mitosis.result.Run;

/** Functions as bars, beside their baselines and the published figures. */
final class FunctionPlots {
  static final String SECTION = "Functions";

  private static final Map<String, String> BESIDE =
      Map.of(
          "coldStart", "firstResult",
          "criuFirstResult", "firstResult",
          "criuLazyFirstResult", "firstResult",
          "criuDump", "prepare",
          "criuRestore", "resume",
          "criuLazy", "resume",
          "fork", "prepare",
          "warm", "execution");

  private static final Map<String, String> TITLES =
      Map.of(
          "prepare", "Functions: prepare",
          "resume", "Functions: resume",
          "startup", "Functions: startup, from the request until the child has ended",
          "execution", "Functions: execution after resume",
          "firstResult", "Functions: until the first result");

  private static final int MOST_BARS = 8;
  private static final int NAMES_DEGREES = 30;
  private static final int NAMES_APART = 30;

  private FunctionPlots() {}

  static List<Plot> of(List<Run> runs, List<ReportedFigure> figures) {
    Map<String, List<ReportedFigure>> byMetric = new LinkedHashMap<>();
    for (ReportedFigure one : figures) {
      if (one.isTime() && one.figure().function().isPresent() && one.medianMs() > 0) {
        String metric = BESIDE.getOrDefault(one.figure().metric(), one.figure().metric());
        if (TITLES.containsKey(metric)) {
          byMetric.computeIfAbsent(metric, key -> new ArrayList<>()).add(one);
        }
      }
    }
    List<Plot> plots = new ArrayList<>();
    for (String metric : List.of("prepare", "resume", "startup", "execution", "firstResult")) {
      if (byMetric.containsKey(metric)) {
        plots.add(plot(metric, runs, byMetric.get(metric)));
      }
    }
    return plots;
  }

  private static Plot plot(String metric, List<Run> runs, List<ReportedFigure> figures) {
    Set<String> varying = PlotName.varying(figures);
    List<String> functions =
        figures.stream()
            .map(one -> one.figure().function().orElseThrow())
            .distinct()
            .sorted()
            .toList();
    Map<String, Map<String, Double>> bars = new LinkedHashMap<>();
    Map<String, Double> published = new LinkedHashMap<>();
    String hosts = "";
    for (ReportedFigure one : figures) {
      String function = one.figure().function().orElseThrow();
      bars.computeIfAbsent(
              PlotName.run(one.run(), runs) + PlotName.line(one.figure(), metric, figures, varying),
              key -> new LinkedHashMap<>())
          .put(function, one.medianMs());
      if (one.published().isPresent()) {
        published.put(function, one.published().getAsDouble() / 1e6);
        hosts = one.publishedHosts();
      }
    }
    CategoryChart chart = PlotStyle.bars(TITLES.get(metric), "", "ms (logarithmic)");
    // Else there is room for every other name only.
    chart.getStyler().setXAxisTickMarkSpacingHint(NAMES_APART);
    chart.getStyler().setXAxisLabelRotation(NAMES_DEGREES);
    int at = 0;
    for (Map.Entry<String, Map<String, Double>> bar : bars.entrySet()) {
      if (at < MOST_BARS) {
        add(chart, bar.getKey(), functions, bar.getValue()).setFillColor(PlotStyle.color(at++));
      }
    }
    if (!published.isEmpty()) {
      add(chart, "published, " + hosts, functions, published).setFillColor(PlotStyle.PUBLISHED);
    }
    double[] drawn =
        Stream.concat(
                bars.values().stream().flatMap(values -> values.values().stream()),
                published.values().stream())
            .mapToDouble(Double::doubleValue)
            .toArray();
    double least = Arrays.stream(drawn).min().orElse(1);
    // Bars of a logarithmic axis have no zero: they begin at the power of ten below the least.
    double base = Math.pow(10, Math.floor(Math.log10(least / 1.5)));
    chart.getStyler().setYAxisMin(base);
    PlotStyle.logarithmic(
        chart.getStyler(), DoubleStream.concat(DoubleStream.of(base), Arrays.stream(drawn)));
    return new Plot(
        SECTION,
        PlotName.file("function", metric),
        TITLES.get(metric),
        bars.size() > MOST_BARS
            ? "The first " + MOST_BARS + " of " + bars.size() + " settings; the table has all."
            : "Medians over forks. The axis is logarithmic: compare where bars end, not their"
                + " areas.",
        chart);
  }

  private static CategorySeries add(
      CategoryChart chart, String name, List<String> functions, Map<String, Double> values) {
    List<Double> heights = new ArrayList<>();
    functions.forEach(function -> heights.add(values.get(function)));
    return chart.addSeries(name, functions, heights);
  }
}
