// SPDX-License-Identifier: Apache-2.0
package org.mitosis.report;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Base64;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.mitosis.result.Run;

/** A report as one HTML file, which includes style and plots and loads nothing. */
final class HtmlReport {
  private final List<Run> runs;
  private final List<String> problems;
  private final Map<String, List<Report.Drawn>> sections;
  private final List<FigureTable> tables;
  private final EnvironmentTable environments;
  private final StringBuilder text = new StringBuilder();

  HtmlReport(
      List<Run> runs,
      List<String> problems,
      Map<String, List<Report.Drawn>> sections,
      List<FigureTable> tables,
      EnvironmentTable environments) {
    this.runs = runs;
    this.problems = problems;
    this.sections = sections;
    this.tables = tables;
    this.environments = environments;
  }

  String text() {
    text.append("<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n")
        .append("<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n")
        .append("<title>Remote fork: what was measured</title>\n<style>\n")
        .append(resource("report.css"))
        .append("</style>\n</head>\n<body>\n");
    navigation();
    text.append("<main>\n<h1>Remote fork: what was measured</h1>\n");
    runs();
    list("Not everything could be read or drawn", "problems", problems);
    sections.forEach(this::plots);
    figures();
    environment();
    text.append("</main>\n</body>\n</html>\n");
    return text.toString();
  }

  private void navigation() {
    Map<String, String> links = new LinkedHashMap<>();
    sections.keySet().forEach(section -> links.put(PlotName.file(section), section));
    links.put("figures", "All figures");
    links.put("environment", "Environment");
    text.append("<nav>");
    links.forEach(
        (id, title) ->
            text.append("<a href=\"#")
                .append(id)
                .append("\">")
                .append(escaped(title))
                .append("</a>"));
    text.append("</nav>\n");
  }

  private void runs() {
    for (Run run : runs) {
      text.append("<section class=\"run\">\n<h2>")
          .append(escaped(PlotName.run(run, runs) + run.name()))
          .append("</h2>\n<p>")
          .append(escaped(Report.headline(run)))
          .append("</p>\n");
      list("Failed: what is shown of these is incomplete", "failed", run.failed());
      list("Failed before, and run again", "failed", Report.repeated(run));
      list("Reasons why the figures are less reliable", "warnings", Report.warnings(run));
      list("Left out", "left-out", Report.leftOut(run));
      text.append("</section>\n");
    }
  }

  private void list(String title, String kind, List<String> lines) {
    if (lines.isEmpty()) {
      return;
    }
    text.append("<div class=\"box ")
        .append(kind)
        .append("\"><strong>")
        .append(escaped(title))
        .append("</strong>\n<ul>\n");
    lines.forEach(line -> text.append("<li>").append(escaped(line)).append("</li>\n"));
    text.append("</ul></div>\n");
  }

  private void plots(String section, List<Report.Drawn> plots) {
    text.append("<h2 id=\"")
        .append(PlotName.file(section))
        .append("\">")
        .append(escaped(section))
        .append("</h2>\n<div class=\"plots\">\n");
    for (Report.Drawn one : plots) {
      // An image has element ids of its own, and can be saved by a click.
      String data = Base64.getEncoder().encodeToString(one.svg().getBytes(StandardCharsets.UTF_8));
      text.append("<figure id=\"")
          .append(one.plot().name())
          .append("\"><img alt=\"")
          .append(escaped(one.plot().chart().title()))
          .append("\" src=\"data:image/svg+xml;base64,")
          .append(data)
          .append("\">");
      if (!one.plot().chart().caption().isEmpty()) {
        text.append("<figcaption>")
            .append(escaped(one.plot().chart().caption()))
            .append("</figcaption>");
      }
      text.append("</figure>\n");
    }
    text.append("</div>\n");
  }

  private void figures() {
    text.append("<h2 id=\"figures\">All figures</h2>\n<ul class=\"legend\">\n");
    Report.LEGEND.forEach(line -> text.append("<li>").append(escaped(line)).append("</li>\n"));
    text.append("</ul>\n");
    for (FigureTable table : tables) {
      text.append("<h3>").append(escaped(table.title())).append("</h3>\n");
      if (!table.common().isEmpty()) {
        text.append("<p class=\"common\">").append(escaped(table.common())).append("</p>\n");
      }
      text.append("<div class=\"scroll\"><table>\n<thead><tr>");
      cells("th", table.head(), table.left()::contains);
      text.append("</tr></thead>\n<tbody>\n");
      for (FigureTable.Row row : table.rows()) {
        text.append(row.failed() ? "<tr class=\"failed\">" : "<tr>");
        cells("td", row.cells(), table.left()::contains);
        text.append("</tr>\n");
      }
      text.append("</tbody></table></div>\n");
    }
  }

  private void environment() {
    text.append("<h2 id=\"environment\">Environment</h2>\n");
    if (environments.head().isEmpty()) {
      text.append("<p>The environment is unknown.</p>\n");
      return;
    }
    text.append("<div class=\"scroll\"><table class=\"environment\">\n<thead><tr><th></th>");
    cells("th", environments.head(), column -> true);
    text.append("</tr></thead>\n<tbody>\n");
    for (EnvironmentTable.Row row : environments.rows()) {
      List<String> cells = new ArrayList<>(List.of(row.what()));
      cells.addAll(row.cells());
      text.append(row.matters() ? "<tr class=\"differs\">" : "<tr>");
      cells("td", cells, column -> true);
      text.append("</tr>\n");
    }
    text.append("</tbody></table></div>\n");
    if (environments.rows().stream().anyMatch(EnvironmentTable.Row::matters)) {
      text.append("<p>Marked: the machines differ in it, and times change by it.</p>\n");
    }
  }

  private interface IsLeft {
    boolean test(int column);
  }

  private void cells(String element, List<String> cells, IsLeft left) {
    for (int column = 0; column < cells.size(); column++) {
      text.append('<')
          .append(element)
          .append(left.test(column) ? ">" : " class=\"n\">")
          .append(escaped(cells.get(column)))
          .append("</")
          .append(element)
          .append('>');
    }
  }

  static String escaped(String text) {
    return text.replace("&", "&amp;")
        .replace("<", "&lt;")
        .replace(">", "&gt;")
        .replace("\"", "&quot;");
  }

  private static String resource(String name) {
    try (InputStream stream = HtmlReport.class.getResourceAsStream(name)) {
      if (stream == null) {
        throw new IllegalStateException(name + " is missing in this jar: build it again");
      }
      return new String(stream.readAllBytes(), StandardCharsets.UTF_8);
    } catch (IOException e) {
      throw new UncheckedIOException(name, e);
    }
  }
}
