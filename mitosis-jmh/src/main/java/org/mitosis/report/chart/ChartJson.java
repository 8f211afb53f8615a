// SPDX-License-Identifier: Apache-2.0
package org.mitosis.report.chart;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.util.List;
import java.util.Locale;
import java.util.stream.Collectors;

/** Charts and looks as the script of the page reads them. */
public final class ChartJson {
  private static final ObjectMapper JSON = new ObjectMapper();

  private ChartJson() {}

  /**
   * A chart: {@code x} and {@code y} with title, scale, range and categories; {@code series} with
   * name, kind, look and {@code points} [x, y, low, high, label]; {@code spans}.
   */
  public static String of(Chart chart) {
    ObjectNode root = JSON.createObjectNode();
    root.put("title", chart.title());
    root.set("x", axis(chart.x(), chart.range(true)));
    root.set("y", axis(chart.y(), chart.range(false)));
    ArrayNode all = root.putArray("series");
    for (Chart.Series one : chart.series()) {
      ObjectNode series = all.addObject();
      series.put("name", one.name()).put("kind", one.kind().name());
      series
          .putObject("look")
          .put("color", one.look().color())
          .put("marker", one.look().marker())
          .put("dash", one.look().dash());
      ArrayNode points = series.putArray("points");
      for (Chart.Point point : one.points()) {
        ArrayNode values = points.addArray();
        values.add(rounded(point.x())).add(rounded(point.y()));
        values.add(rounded(point.low())).add(rounded(point.high()));
        if (!point.label().isEmpty()) {
          values.add(point.label());
        }
      }
    }
    ArrayNode spans = root.putArray("spans");
    for (Chart.Span span : chart.spans()) {
      spans.addObject().put("series", span.series()).put("from", span.from()).put("to", span.to());
    }
    return inScript(root);
  }

  /** Colours for both grounds, dashes, and markers as paths of SVG. */
  public static String looks() {
    ObjectNode root = JSON.createObjectNode();
    colors(root.putArray("light"), Look.COLORS);
    colors(root.putArray("dark"), Look.DARK_COLORS);
    ArrayNode dashes = root.putArray("dashes");
    for (List<Integer> lengths : Look.DASHES) {
      lengths.forEach(dashes.addArray()::add);
    }
    ArrayNode markers = root.putArray("markers");
    for (List<double[]> shape : Look.MARKERS) {
      markers.add(
          shape.stream()
              .map(point -> number(point[0]) + " " + number(point[1]))
              .collect(Collectors.joining("L", "M", "Z")));
    }
    return inScript(root);
  }

  private static ObjectNode axis(Axis axis, double[] range) {
    ObjectNode node = JSON.createObjectNode();
    node.put("title", axis.title()).put("scale", axis.scale().name());
    node.put("low", range[0]).put("high", range[1]);
    axis.categories().forEach(node.putArray("categories")::add);
    return node;
  }

  private static void colors(ArrayNode node, List<Integer> colors) {
    colors.forEach(color -> node.add(String.format(Locale.ROOT, "#%06x", color)));
  }

  private static String number(double value) {
    return String.format(Locale.ROOT, "%.3f", value);
  }

  /** Six significant digits: more than a screen shows, and a third of the text. */
  private static double rounded(double value) {
    return Double.parseDouble(String.format(Locale.ROOT, "%.6g", value));
  }

  /** No text may end the element of HTML that it is in. */
  private static String inScript(ObjectNode root) {
    return root.toString().replace("<", "\\u003c");
  }
}
