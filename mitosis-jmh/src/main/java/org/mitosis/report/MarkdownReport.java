// SPDX-License-Identifier: Apache-2.0
package org.mitosis.report;

import java.util.List;
import java.util.Map;
import org.mitosis.result.Run;

/** A report as Markdown; its plots are files beside it. */
final class MarkdownReport {
  private MarkdownReport() {}

  static String of(
      List<Run> runs,
      List<String> problems,
      Map<String, List<Plot>> sections,
      List<FigureTable> tables,
      EnvironmentTable environments) {
    StringBuilder text = new StringBuilder("# Remote fork: what was measured\n\n");
    for (Run run : runs) {
      text.append("- ")
          .append(PlotName.run(run, runs))
          .append('`')
          .append(run.name())
          .append("`: ")
          .append(Report.headline(run))
          .append('\n');
      Report.warnings(run).forEach(warning -> item(text, "warning: " + warning));
      Report.leftOut(run).forEach(reason -> item(text, "left out: " + reason));
      run.failed().forEach(name -> item(text, "**failed**: " + name));
      Report.repeated(run).forEach(what -> item(text, "failed before: " + what));
    }
    if (!problems.isEmpty()) {
      text.append("\n## What could not be read\n\n");
      problems.forEach(problem -> text.append("- ").append(problem).append('\n'));
    }
    sections.forEach(
        (section, plots) -> {
          text.append("\n## ").append(section).append("\n\n");
          plots.forEach(
              one ->
                  text.append("![")
                      .append(one.chart().title())
                      .append("](plots/")
                      .append(one.name())
                      .append(".svg)\n\n")
                      .append(one.chart().caption())
                      .append(" [PDF](plots/")
                      .append(one.name())
                      .append(".pdf)\n\n"));
        });
    text.append("\n## Figures\n\n");
    Report.LEGEND.forEach(line -> text.append("- ").append(line).append('\n'));
    for (FigureTable table : tables) {
      text.append("\n### ").append(table.title()).append("\n\n");
      if (!table.common().isEmpty()) {
        text.append(table.common()).append("\n\n");
      }
      text.append(table.markdown());
    }
    if (!environments.head().isEmpty()) {
      text.append("\n## Environment\n\n");
      text.append(environments.markdown());
      if (environments.rows().stream().anyMatch(EnvironmentTable.Row::matters)) {
        text.append("\n(!): the machines differ in it, and times change by it.\n");
      }
    }
    return text.toString();
  }

  private static void item(StringBuilder text, String content) {
    text.append("  - ").append(content).append('\n');
  }
}
