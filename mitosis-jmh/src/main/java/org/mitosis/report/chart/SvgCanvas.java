// SPDX-License-Identifier: Apache-2.0
package org.mitosis.report.chart;

import java.util.List;
import java.util.Locale;
import java.util.stream.Collectors;

/** Writes SVG, in which text is text. */
final class SvgCanvas implements Canvas {
  private final StringBuilder text = new StringBuilder();

  SvgCanvas(String title, String description, double width, double height) {
    text.append("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n")
        .append("<svg xmlns=\"http://www.w3.org/2000/svg\" role=\"img\"")
        .append(attribute("width", width) + attribute("height", height))
        .append(" viewBox=\"0 0 " + number(width) + " " + number(height) + "\"")
        .append(" font-family=\"" + Typeface.FAMILY + "\" fill=\"none\">\n")
        .append("<title>" + escaped(title) + "</title>\n")
        .append("<desc>" + escaped(description) + "</desc>\n")
        .append("<rect width=\"100%\" height=\"100%\" fill=\"#ffffff\"/>\n");
  }

  String finished() {
    return text + "</svg>\n";
  }

  @Override
  public void begin(String series) {
    text.append("<g class=\"series\"><title>").append(escaped(series)).append("</title>\n");
  }

  @Override
  public void end() {
    text.append("</g>\n");
  }

  @Override
  public void line(List<double[]> points, int rgb, double width, List<Integer> dashes) {
    text.append("<polyline points=\"" + joined(points) + "\" stroke=\"" + color(rgb) + "\"")
        .append(attribute("stroke-width", width))
        .append(dashes.isEmpty() ? "" : " stroke-dasharray=\"" + dashes(dashes) + "\"")
        .append("/>\n");
  }

  @Override
  public void area(List<double[]> polygon, int rgb, double opacity) {
    text.append("<polygon points=\"" + joined(polygon) + "\" fill=\"" + color(rgb) + "\"")
        .append(opacity < 1 ? attribute("fill-opacity", opacity) : "")
        .append("/>\n");
  }

  @Override
  public void text(String line, double x, double y, double size, Anchor anchor, double degrees) {
    text.append("<text fill=\"" + color(Look.TEXT_COLOR) + "\"")
        .append(attribute("x", x) + attribute("y", y) + attribute("font-size", size))
        .append(
            anchor == Anchor.START
                ? ""
                : " text-anchor=\"" + anchor.name().toLowerCase(Locale.ROOT) + "\"")
        .append(
            degrees == 0
                ? ""
                : " transform=\"rotate("
                    + (number(degrees) + " " + number(x) + " " + number(y))
                    + ")\"")
        .append(">" + escaped(line) + "</text>\n");
  }

  private static String attribute(String name, double value) {
    return " " + name + "=\"" + number(value) + "\"";
  }

  private static String joined(List<double[]> points) {
    return points.stream()
        .map(point -> number(point[0]) + "," + number(point[1]))
        .collect(Collectors.joining(" "));
  }

  private static String dashes(List<Integer> dashes) {
    return dashes.stream().map(String::valueOf).collect(Collectors.joining(" "));
  }

  private static String number(double value) {
    return Axis.number(Math.round(value * 100) / 100.0);
  }

  private static String color(int rgb) {
    return String.format(Locale.ROOT, "#%06x", rgb);
  }

  /** XML has no place for most control characters. */
  private static String escaped(String text) {
    return text.replaceAll("[\\p{Cntrl}\\uFFFE\\uFFFF]", " ")
        .replace("&", "&amp;")
        .replace("<", "&lt;")
        .replace(">", "&gt;");
  }
}
