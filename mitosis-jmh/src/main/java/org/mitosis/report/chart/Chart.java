// SPDX-License-Identifier: Apache-2.0
package org.mitosis.report.chart;

import java.util.List;

/**
 * What a chart shows.
 *
 * @param title what is drawn, in words
 * @param caption how it was obtained, and how to read it; may be empty
 * @param x the horizontal axis
 * @param y the vertical axis
 * @param series in the order of the legend
 * @param spans shaded parts of the horizontal axis
 */
public record Chart(
    String title, String caption, Axis x, Axis y, List<Series> series, List<Span> spans) {

  /** How the points of a series are drawn. */
  public enum Kind {
    /** A marker at each point, and lines between them. */
    LINE,
    /** Markers only. */
    DOTS,
    /** Lines only. */
    CURVE,
    /** A thin line across the chart. */
    LEVEL
  }

  /**
   * A point, and the interval of its value.
   *
   * @param low at most {@code y}; equal to it if there is no interval
   * @param high at least {@code y}
   * @param label what it is, for a reader who points at it
   */
  public record Point(double x, double y, double low, double high, String label) {
    /** A point without an interval. */
    public static Point of(double x, double y) {
      return new Point(x, y, y, y, "");
    }

    boolean hasInterval() {
      return high > low;
    }
  }

  /**
   * Points of one name.
   *
   * @param look what tells it from the others
   */
  public record Series(String name, Kind kind, Look look, List<Point> points) {
    /** Copies the points. */
    public Series {
      points = List.copyOf(points);
    }
  }

  /**
   * A shaded part of the horizontal axis.
   *
   * @param series the name of the series that it belongs to, and has the colour of
   */
  public record Span(String series, double from, double to, Look look) {}

  /** Copies the lists. */
  public Chart {
    series = List.copyOf(series);
    spans = List.copyOf(spans);
  }

  /** A chart without spans. */
  public Chart(String title, String caption, Axis x, Axis y, List<Series> series) {
    this(title, caption, x, y, series, List.of());
  }

  /** The range of an axis that holds all points. */
  double[] range(boolean horizontal) {
    Axis axis = horizontal ? x : y;
    double low = Double.POSITIVE_INFINITY;
    double high = Double.NEGATIVE_INFINITY;
    for (Series one : series) {
      for (Point point : one.points()) {
        low = Math.min(low, horizontal ? point.x() : point.low());
        high = Math.max(high, horizontal ? point.x() : point.high());
      }
    }
    if (horizontal) {
      for (Span span : spans) {
        low = Math.min(low, span.from());
        high = Math.max(high, span.to());
      }
    }
    return axis.range(low, high);
  }
}
