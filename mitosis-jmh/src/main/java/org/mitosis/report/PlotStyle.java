// SPDX-License-Identifier: Apache-2.0
package org.mitosis.report;

import java.awt.BasicStroke;
import java.awt.Color;
import java.awt.Font;
import java.util.DoubleSummaryStatistics;
import java.util.List;
import java.util.Locale;
import java.util.stream.DoubleStream;
import org.knowm.xchart.CategoryChart;
import org.knowm.xchart.CategoryChartBuilder;
import org.knowm.xchart.XYChart;
import org.knowm.xchart.XYChartBuilder;
import org.knowm.xchart.style.AxesChartStyler;
import org.knowm.xchart.style.Styler.LegendPosition;
import org.knowm.xchart.style.markers.Marker;
import org.knowm.xchart.style.markers.SeriesMarkers;

/** The common style of all plots of a report. */
final class PlotStyle {
  /** The colour of published figures, which no measured figure has. */
  static final Color PUBLISHED = new Color(0x30, 0x30, 0x30);

  static final BasicStroke SOLID =
      new BasicStroke(1.8f, BasicStroke.CAP_ROUND, BasicStroke.JOIN_ROUND);
  static final BasicStroke THIN = new BasicStroke(1f);
  static final BasicStroke DASHED =
      new BasicStroke(
          1.8f, BasicStroke.CAP_BUTT, BasicStroke.JOIN_ROUND, 10, new float[] {6, 4}, 0);

  private static final double MANY_DECADES = 2.5;

  static final int WIDTH = 860;
  static final int HEIGHT = 430;

  /** Distinguishable with colour blindness (Okabe and Ito); two darker colours added. */
  private static final Color[] COLORS = {
    new Color(0x0072B2),
    new Color(0xD55E00),
    new Color(0x009E73),
    new Color(0xCC79A7),
    new Color(0xE69F00),
    new Color(0x56B4E9),
    new Color(0x6A3D9A),
    new Color(0x8C564B)
  };

  private static final Marker[] MARKERS = {
    SeriesMarkers.CIRCLE, SeriesMarkers.SQUARE, SeriesMarkers.DIAMOND, SeriesMarkers.TRIANGLE_UP
  };

  private static final Color GRID = new Color(0xE3E3E3);
  private static final Color LINES = new Color(0x8A8A8A);
  private static final Color TEXT = new Color(0x222222);

  private PlotStyle() {}

  static Color color(int series) {
    return COLORS[series % COLORS.length];
  }

  static Marker marker(int series) {
    return MARKERS[series / COLORS.length % MARKERS.length];
  }

  static XYChart xy(String title, String x, String y) {
    XYChart chart =
        new XYChartBuilder()
            .width(WIDTH)
            .height(HEIGHT)
            .title(title)
            .xAxisTitle(x)
            .yAxisTitle(y)
            .build();
    style(chart.getStyler());
    chart.getStyler().setPlotGridVerticalLinesVisible(true);
    return chart;
  }

  /**
   * Makes the axis of times logarithmic, with as many labels as there is room for.
   *
   * @param values all that is drawn, above 0
   */
  static void logarithmic(AxesChartStyler styler, DoubleStream values) {
    DoubleSummaryStatistics range = values.summaryStatistics();
    double decades = Math.log10(range.getMax() / range.getMin());
    List<Integer> labelled =
        decades > MANY_DECADES
            ? List.of(1)
            : decades > 1 ? List.of(1, 2, 5) : List.of(1, 2, 3, 4, 5, 6, 7, 8, 9);
    styler.setYAxisLogarithmic(true);
    styler.setYAxisLogarithmicDecadeOnly(false);
    styler.setYAxisTickLabelsFormattingFunction(
        value -> labelled.contains(firstDigit(value)) ? tick(value) : " ");
  }

  private static int firstDigit(double value) {
    return value <= 0
        ? 0
        : (int) Math.round(value / Math.pow(10, Math.floor(Math.log10(value) + 1e-9)));
  }

  static CategoryChart bars(String title, String x, String y) {
    CategoryChart chart =
        new CategoryChartBuilder()
            .width(WIDTH)
            .height(HEIGHT)
            .title(title)
            .xAxisTitle(x)
            .yAxisTitle(y)
            .build();
    style(chart.getStyler());
    chart.getStyler().setPlotGridVerticalLinesVisible(false);
    chart.getStyler().setAvailableSpaceFill(0.8);
    return chart;
  }

  private static void style(AxesChartStyler styler) {
    styler.setLocale(Locale.ROOT);
    styler.setBaseFont(new Font(Font.SANS_SERIF, Font.PLAIN, 12));
    styler.setChartTitleFont(new Font(Font.SANS_SERIF, Font.BOLD, 14));
    styler.setAxisTitleFont(new Font(Font.SANS_SERIF, Font.PLAIN, 12));
    styler.setAxisTickLabelsFont(new Font(Font.SANS_SERIF, Font.PLAIN, 11));
    styler.setLegendFont(new Font(Font.SANS_SERIF, Font.PLAIN, 11));
    styler.setChartTitleBoxVisible(false);
    styler.setChartBackgroundColor(Color.WHITE);
    styler.setPlotBackgroundColor(Color.WHITE);
    styler.setPlotBorderVisible(false);
    styler.setChartFontColor(TEXT);
    styler.setAxisTickLabelsColor(TEXT);
    styler.setAxisTickMarksColor(LINES);
    styler.setPlotGridLinesColor(GRID);
    styler.setPlotGridLinesStroke(THIN);
    styler.setLegendPosition(LegendPosition.OutsideE);
    styler.setLegendBorderColor(Color.WHITE);
    styler.setMarkerSize(7);
    styler.setChartPadding(12);
  }

  /** A number of ms on an axis: no exponent, no trailing zeros. */
  static String tick(double value) {
    return value == 0
        ? "0"
        : Math.abs(value) >= 1
            ? String.format(Locale.ROOT, "%.0f", value)
            : Double.toString(Double.parseDouble(String.format(Locale.ROOT, "%.1g", value)))
                .replaceAll("^1\\.0E-(\\d)$", "10⁻$1");
  }
}
