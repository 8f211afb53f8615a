// SPDX-License-Identifier: Apache-2.0
package org.mitosis.report.chart;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.ArrayList;
import java.util.List;
import org.mitosis.report.chart.Canvas.Anchor;
import org.mitosis.report.chart.Chart.Kind;

/** Lays a chart out on paper: title, axes, series, and below them the legend. */
public final class ChartDrawing {
  /** Units of a drawing from left to right. */
  public static final int WIDTH = 860;

  private static final double PLOT_HEIGHT = 360;
  private static final double TOP = 44;
  private static final double RIGHT = 24;
  private static final double TITLE_SIZE = 16;
  private static final double TEXT_SIZE = 13;
  private static final double LEGEND_ROW = 19;
  private static final double LEGEND_SAMPLE = 34;
  private static final double GAP = 14;
  private static final double MARKER = 4;
  private static final double CAP = 4;
  private static final int GRID = 0xE3E3E3;
  private static final int FRAME = 0x8A8A8A;
  private static final double NAMES_DEGREES = -30;
  private static final List<Integer> SOLID = List.of();

  private final Chart chart;
  private final double[] xRange;
  private final double[] yRange;
  private final List<Axis.Tick> xTicks;
  private final List<Axis.Tick> yTicks;
  private final double left;
  private final double bottom = TOP + PLOT_HEIGHT;
  private final double xLabels;
  private final boolean turned;
  private final int columns;
  private final double height;

  /** A drawing of a chart. */
  public ChartDrawing(Chart chart) {
    this.chart = chart;
    xRange = chart.range(true);
    yRange = chart.range(false);
    xTicks = chart.x().ticks(xRange);
    yTicks = chart.y().ticks(yRange);
    left = 46 + widest(yTicks);
    double widest = widest(xTicks);
    turned = (widest + GAP) * xTicks.size() > WIDTH - left - RIGHT;
    xLabels =
        turned ? 12 + widest * Math.sin(Math.toRadians(-NAMES_DEGREES)) + TEXT_SIZE : TEXT_SIZE + 8;
    double entry =
        chart.series().stream()
                .mapToDouble(one -> Typeface.regular().width(one.name(), TEXT_SIZE))
                .max()
                .orElse(0)
            + LEGEND_SAMPLE
            + GAP;
    columns =
        Math.max(
            1,
            Math.min(chart.series().size(), (int) ((WIDTH - left - RIGHT) / Math.max(entry, 1))));
    int rows = (chart.series().size() + columns - 1) / columns;
    height = legendTop() + rows * LEGEND_ROW + 12;
  }

  private double legendTop() {
    return bottom + xLabels + (chart.x().title().isEmpty() ? 8 : 30);
  }

  private static double widest(List<Axis.Tick> ticks) {
    return ticks.stream()
        .mapToDouble(tick -> Typeface.regular().width(tick.label(), TEXT_SIZE))
        .max()
        .orElse(0);
  }

  /** As SVG, with text as text. */
  public String svg() {
    SvgCanvas canvas = new SvgCanvas(chart.title(), chart.caption(), WIDTH, height);
    paint(canvas);
    return canvas.finished();
  }

  /** As PDF, with text as text and its font. */
  public byte[] pdf() {
    try {
      PdfCanvas canvas = new PdfCanvas(chart.title(), chart.caption(), WIDTH, height);
      paint(canvas);
      return canvas.finished();
    } catch (IOException e) {
      throw new UncheckedIOException(chart.title(), e);
    }
  }

  /** As PNG. */
  public byte[] png() {
    try {
      PixelCanvas canvas = new PixelCanvas(WIDTH, height);
      paint(canvas);
      return canvas.finished();
    } catch (IOException e) {
      throw new UncheckedIOException(chart.title(), e);
    }
  }

  private double x(double value) {
    return left + chart.x().place(value, xRange) * (WIDTH - left - RIGHT);
  }

  private double y(double value) {
    return bottom - chart.y().place(value, yRange) * PLOT_HEIGHT;
  }

  private void paint(Canvas canvas) {
    canvas.text(chart.title(), left, 26, TITLE_SIZE, Anchor.START, 0);
    for (Chart.Span span : chart.spans()) {
      canvas.area(rectangle(x(span.from()), TOP, x(span.to()), bottom), span.look().rgb(), 0.12);
    }
    axes(canvas);
    for (Chart.Series series : chart.series()) {
      canvas.begin(series.name());
      series(canvas, series);
      canvas.end();
    }
    legend(canvas);
  }

  private void axes(Canvas canvas) {
    for (Axis.Tick tick : yTicks) {
      double y = y(tick.at());
      canvas.line(points(left, y, WIDTH - RIGHT, y), GRID, 1, SOLID);
      canvas.text(tick.label(), left - 8, y + 4.5, TEXT_SIZE, Anchor.END, 0);
    }
    boolean names = chart.x().scale() == Axis.Scale.CATEGORIES;
    for (Axis.Tick tick : xTicks) {
      double x = x(tick.at());
      if (!names) {
        canvas.line(points(x, TOP, x, bottom), GRID, 1, SOLID);
      }
      canvas.line(points(x, bottom, x, bottom + 5), FRAME, 1, SOLID);
      double y = bottom + 8 + TEXT_SIZE;
      canvas.text(
          tick.label(),
          turned ? x + 4 : x,
          turned ? y - 4 : y,
          TEXT_SIZE,
          turned ? Anchor.END : Anchor.MIDDLE,
          turned ? NAMES_DEGREES : 0);
    }
    for (int i = 1; names && i < xTicks.size(); i++) {
      double between = x(i - 0.5);
      canvas.line(points(between, TOP, between, bottom), GRID, 1, SOLID);
    }
    canvas.line(points(left, TOP, left, bottom, WIDTH - RIGHT, bottom), FRAME, 1, SOLID);
    canvas.text(chart.y().title(), 20, TOP + PLOT_HEIGHT / 2, TEXT_SIZE, Anchor.MIDDLE, -90);
    canvas.text(
        chart.x().title(),
        left + (WIDTH - left - RIGHT) / 2,
        bottom + xLabels + 18,
        TEXT_SIZE,
        Anchor.MIDDLE,
        0);
  }

  private void series(Canvas canvas, Chart.Series series) {
    int rgb = series.look().rgb();
    for (Chart.Point point : series.points()) {
      if (point.hasInterval()) {
        double x = x(point.x());
        double low = y(point.low());
        double high = y(point.high());
        canvas.line(points(x, low, x, high), rgb, 1.3, SOLID);
        canvas.line(points(x - CAP, low, x + CAP, low), rgb, 1.3, SOLID);
        canvas.line(points(x - CAP, high, x + CAP, high), rgb, 1.3, SOLID);
      }
    }
    List<double[]> places = new ArrayList<>();
    series.points().forEach(point -> places.add(new double[] {x(point.x()), y(point.y())}));
    if (series.kind() != Kind.DOTS && places.size() > 1) {
      canvas.line(places, rgb, series.kind() == Kind.LEVEL ? 1.2 : 1.9, series.look().dashes());
    }
    if (series.kind() == Kind.LINE || series.kind() == Kind.DOTS) {
      places.forEach(at -> canvas.area(marker(series.look(), at[0], at[1]), rgb, 1));
    }
  }

  private void legend(Canvas canvas) {
    double step = (WIDTH - left - RIGHT) / columns;
    for (int i = 0; i < chart.series().size(); i++) {
      Chart.Series one = chart.series().get(i);
      double x = left + i % columns * step;
      double y = legendTop() + i / columns * LEGEND_ROW + LEGEND_ROW / 2;
      if (one.kind() != Kind.DOTS) {
        canvas.line(
            points(x, y, x + LEGEND_SAMPLE - 6, y),
            one.look().rgb(),
            one.kind() == Kind.LEVEL ? 1.2 : 1.9,
            one.look().dashes());
      }
      if (one.kind() == Kind.LINE || one.kind() == Kind.DOTS) {
        canvas.area(marker(one.look(), x + (LEGEND_SAMPLE - 6) / 2, y), one.look().rgb(), 1);
      }
      canvas.text(one.name(), x + LEGEND_SAMPLE, y + 4.5, TEXT_SIZE, Anchor.START, 0);
    }
  }

  private static List<double[]> marker(Look look, double x, double y) {
    return look.shape().stream()
        .map(point -> new double[] {x + point[0] * MARKER, y + point[1] * MARKER})
        .toList();
  }

  private static List<double[]> rectangle(double x1, double y1, double x2, double y2) {
    return points(x1, y1, x2, y1, x2, y2, x1, y2);
  }

  private static List<double[]> points(double... coordinates) {
    List<double[]> points = new ArrayList<>();
    for (int i = 0; i < coordinates.length; i += 2) {
      points.add(new double[] {coordinates[i], coordinates[i + 1]});
    }
    return points;
  }
}
