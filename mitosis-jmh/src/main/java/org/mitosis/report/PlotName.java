// SPDX-License-Identifier: Apache-2.0
package org.mitosis.report;

import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.mitosis.result.Figure;
import org.mitosis.result.Run;

/** The names of plots, their lines and their files. */
final class PlotName {
  private PlotName() {}

  /** Letters, digits and dashes. */
  static String file(String... parts) {
    return String.join("-", parts)
        .replaceAll("(?<=[a-z])(?=[A-Z])", "-")
        .toLowerCase(Locale.ROOT)
        .replaceAll("[^a-z0-9]+", "-")
        .replaceAll("^-|-$", "");
  }

  /** The settings in which some figures differ; all others are not named. */
  static Set<String> varying(List<ReportedFigure> figures) {
    Map<String, Set<String>> values = new TreeMap<>();
    for (ReportedFigure one : figures) {
      one.figure()
          .setting()
          .forEach(
              (name, value) -> values.computeIfAbsent(name, key -> new TreeSet<>()).add(value));
    }
    values.values().removeIf(all -> all.size() < 2);
    return values.keySet();
  }

  /**
   * Benchmark, figure and varying settings, such as {@code ForkResume tcp}.
   *
   * @param together the figures of one plot
   */
  static String line(
      Figure figure, String chartMetric, List<ReportedFigure> together, Set<String> varying) {
    StringBuilder name = new StringBuilder(figure.shortName());
    boolean onlyOne =
        together.stream()
            .map(ReportedFigure::figure)
            .filter(other -> other.benchmark().equals(figure.benchmark()))
            .allMatch(other -> other.metric().equals(figure.metric()));
    if (!figure.metric().equals(chartMetric) && !onlyOne) {
      name.append(' ').append(figure.metric());
    }
    String settings = varyingSettings(figure, varying);
    return name + (settings.isEmpty() ? "" : ", " + settings);
  }

  /** The varying settings in brackets; empty if there are none. */
  static String settings(Figure figure, Set<String> varying) {
    String settings = varyingSettings(figure, varying);
    return settings.isEmpty() ? "" : " (" + settings + ")";
  }

  private static String varyingSettings(Figure figure, Set<String> varying) {
    return figure.setting().entrySet().stream()
        .filter(one -> varying.contains(one.getKey()))
        .map(
            one ->
                one.getValue().matches("[0-9]+")
                    ? one.getKey() + " " + one.getValue()
                    : one.getValue())
        .collect(Collectors.joining(", "));
  }

  /** Function and working set, whichever it has, or {@code all}. */
  static String trace(Figure figure) {
    String trace =
        Stream.of(figure.function(), figure.memoryBytes().map(Quantity::bytes))
            .flatMap(Optional::stream)
            .collect(Collectors.joining(" "));
    return trace.isEmpty() ? "all" : trace;
  }

  /** A letter for each run, if there are several. */
  static String run(Run run, List<Run> runs) {
    return runs.size() < 2 ? "" : (char) ('A' + runs.indexOf(run)) + ": ";
  }
}
