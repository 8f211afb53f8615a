// SPDX-License-Identifier: Apache-2.0
package org.mitosis.report;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import org.mitosis.report.chart.ChartJson;
import org.mitosis.result.Run;

/**
 * A report as one HTML file, which includes style, charts and the library that draws them (Apache
 * ECharts), and loads nothing. Links lead to files beside it.
 */
final class HtmlReport {
  private final List<Run> runs;
  private final List<KeyFigure> keys;
  private final Map<String, String> files;
  private final List<String> problems;
  private final Map<String, List<Plot>> sections;
  private final List<FigureTable> tables;
  private final EnvironmentTable environments;
  private final StringBuilder text = new StringBuilder();

  /**
   * A report.
   *
   * @param files the names of the files beside the page, by their addresses
   */
  HtmlReport(
      List<Run> runs,
      List<KeyFigure> keys,
      Map<String, String> files,
      List<String> problems,
      Map<String, List<Plot>> sections,
      List<FigureTable> tables,
      EnvironmentTable environments) {
    this.runs = runs;
    this.keys = keys;
    this.files = files;
    this.problems = problems;
    this.sections = sections;
    this.tables = tables;
    this.environments = environments;
  }

  String text() {
    text.append("<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n")
        .append("<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n")
        .append("<meta name=\"color-scheme\" content=\"light dark\">\n")
        .append("<title>Remote fork: what was measured</title>\n<style>\n")
        .append(resource("report.css"))
        .append("</style>\n</head>\n<body>\n");
    navigation();
    text.append("<main>\n<h1>Remote fork: what was measured</h1>\n");
    runs();
    list("Not everything could be read or drawn", "problems", problems);
    keys();
    reservations();
    files();
    sections.forEach(this::plots);
    figures();
    environment();
    text.append("</main>\n");
    if (!sections.isEmpty()) {
      script("looks", ChartJson.looks());
      text.append("<script data-name=\"echarts\">")
          .append(resource("echarts/echarts.min.js"))
          .append("</script>\n<script data-name=\"report\">\n")
          .append(resource("report.js"))
          .append("</script>\n");
    }
    text.append("</body>\n</html>\n");
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
    text.append("<div class=\"runs\">\n");
    for (Run run : runs) {
      text.append("<section class=\"run\">\n<h2>")
          .append(escaped(PlotName.run(run, runs) + run.name()))
          .append("</h2>\n<dl>");
      WhatAndWhere.of(run)
          .forEach(
              (name, line) ->
                  text.append("<dt>")
                      .append(escaped(name))
                      .append("</dt><dd>")
                      .append(escaped(line))
                      .append("</dd>\n"));
      text.append("</dl>\n");
      list("Failed: what is shown of these is incomplete", "failed", run.failed());
      text.append("</section>\n");
    }
    text.append("</div>\n");
  }

  private void keys() {
    text.append("<div class=\"keys-of-run\">\n");
    for (KeyFigure key : keys) {
      text.append("<section class=\"key\"><h3>").append(escaped(key.title())).append("</h3>\n");
      for (KeyFigure.Value value : key.values()) {
        text.append("<p class=\"value\">")
            .append(escaped(value.run() + value.median()))
            .append(value.interval().isEmpty() ? "" : " <small>")
            .append(escaped(value.interval()))
            .append(value.interval().isEmpty() ? "" : "</small>")
            .append(value.shortfall().isEmpty() ? "" : " <em>")
            .append(escaped(value.shortfall()))
            .append(value.shortfall().isEmpty() ? "" : "</em>")
            .append("</p>\n");
      }
      text.append("<p class=\"of\">").append(escaped(key.of())).append("</p>\n");
      if (!key.published().isEmpty()) {
        text.append("<p class=\"of\">").append(escaped(key.published())).append("</p>\n");
      }
      text.append("</section>\n");
    }
    text.append("</div>\n");
  }

  /** What a reader of the figures must know, of each run. */
  private void reservations() {
    for (Run run : runs) {
      String letter = PlotName.run(run, runs);
      list(letter + "Failed before, and run again", "failed", Report.repeated(run));
      list(letter + "Reasons why the figures are less reliable", "warnings", Report.warnings(run));
      list(letter + "Left out", "left-out", Report.leftOut(run));
    }
  }

  private void files() {
    text.append("<p class=\"files\">Data: ");
    files.forEach((address, name) -> link(address, name));
    text.append("</p>\n");
  }

  private void link(String address, String name) {
    text.append("<a href=\"")
        .append(escaped(address))
        .append("\">")
        .append(escaped(name))
        .append("</a> ");
  }

  private void script(String id, String json) {
    text.append("<script type=\"application/json\"")
        .append(id.isEmpty() ? "" : " id=\"" + id + "\"")
        .append('>')
        .append(json)
        .append("</script>\n");
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

  private void plots(String section, List<Plot> plots) {
    text.append("<h2 id=\"")
        .append(PlotName.file(section))
        .append("\">")
        .append(escaped(section))
        .append("</h2>\n<div class=\"plots\">\n");
    for (Plot one : plots) {
      text.append("<figure id=\"")
          .append(one.name())
          .append("\"><h3>")
          .append(escaped(one.chart().title()))
          .append("</h3>\n<div class=\"chart\" role=\"img\" aria-label=\"")
          .append(escaped(one.chart().title()))
          .append("\"></div>\n<div class=\"keys\"></div>\n<noscript><img alt=\"")
          .append(escaped(one.chart().title()))
          .append("\" src=\"plots/")
          .append(one.name())
          .append(".svg\"></noscript>\n<figcaption>")
          .append(escaped(one.chart().caption()))
          .append("</figcaption>\n<p class=\"files\">");
      for (String format : List.of("svg", "pdf", "png")) {
        link("plots/" + one.name() + "." + format, format.toUpperCase(Locale.ROOT));
      }
      text.append("</p>\n");
      script("", ChartJson.of(one.chart()));
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
