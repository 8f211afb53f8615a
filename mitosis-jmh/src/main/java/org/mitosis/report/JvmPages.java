// SPDX-License-Identifier: Apache-2.0
package org.mitosis.report;

import java.util.List;
import java.util.Map;
import java.util.Set;
import org.mitosis.report.chart.Axis;
import org.mitosis.report.chart.Axis.Scale;
import org.mitosis.report.chart.Chart;
import org.mitosis.result.Run;

/** The pages that a child of a JVM has after its first result, by what they are for. */
final class JvmPages {
  private static final String PREFIX = "childPages.";

  /** The areas of which the name in the metric is not that of the chart. */
  private static final Map<String, String> NAMES =
      Map.of("codeCache", "code cache", "cdsArchive", "CDS archive");

  private JvmPages() {}

  static List<Plot> of(List<Run> runs, List<ReportedFigure> figures) {
    List<ReportedFigure> pages =
        figures.stream().filter(one -> one.figure().metric().startsWith(PREFIX)).toList();
    if (pages.isEmpty()) {
      return List.of();
    }
    Set<String> varying = JvmPlots.varying(pages);
    NameChart chart = new NameChart(runs);
    for (ReportedFigure one : pages) {
      String area = one.figure().metric().substring(PREFIX.length());
      String function = JvmPlots.function(one.figure());
      chart.add(
          one.run(),
          "child"
              + (function.isEmpty() ? "" : " of " + function)
              + JvmPlots.setting(one.figure(), varying),
          NAMES.getOrDefault(area, area),
          Chart.Point.of(0, one.estimate().median()));
    }
    return List.of(
        new Plot(
            JvmPlots.SECTION,
            "jvm-pages",
            chart.of(
                "JVM: pages of a child by what they are for",
                "Pages that are a child's own once it has its first result: it has got them from the"
                    + " snapshot, or written them.",
                "memory of a JVM",
                Axis.of("pages", Scale.LINEAR))));
  }
}
