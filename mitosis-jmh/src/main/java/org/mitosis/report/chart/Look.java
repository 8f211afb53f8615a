// SPDX-License-Identifier: Apache-2.0
package org.mitosis.report.chart;

import java.util.ArrayList;
import java.util.List;

/**
 * What tells a series from others: colour, marker and dashes. {@link #of} gives 120 that differ,
 * and any 30 in a row differ without colours.
 *
 * @param color index of a colour; {@link #PUBLISHED}'s is that of text
 * @param marker index of a marker
 * @param dash index of a pattern of dashes; 0 is a solid line
 */
public record Look(int color, int marker, int dash) {
  private static final int TEXT = -1;

  /** The last marker, a cross, is that of published figures. */
  private static final int MEASURED_MARKERS = 6;

  /** Of published figures, which no measured figure has: the colour of text, and crosses. */
  public static final Look PUBLISHED = new Look(TEXT, 6, 1);

  /** Distinguishable with colour blindness (Okabe and Ito); two darker colours added. */
  static final List<Integer> COLORS =
      List.of(0x0072B2, 0xD55E00, 0x009E73, 0xCC79A7, 0xB87F00, 0x3F9FD0, 0x6A3D9A, 0x8C564B);

  /** The same colours for a dark ground. */
  static final List<Integer> DARK_COLORS =
      List.of(0x4FA8E0, 0xFF8A3D, 0x2FC79B, 0xE8A0C8, 0xF0B840, 0x8AD0F5, 0xB794E0, 0xC99A8E);

  static final int TEXT_COLOR = 0x222222;

  /** Lengths of lines and gaps, in units of the drawing. */
  static final List<List<Integer>> DASHES =
      List.of(List.of(), List.of(7, 4), List.of(2, 3), List.of(9, 3, 2, 3), List.of(14, 4));

  /** Polygons around (0, 0), of a size of 2. */
  static final List<List<double[]>> MARKERS =
      List.of(
          circle(),
          polygon(-0.9, -0.9, 0.9, -0.9, 0.9, 0.9, -0.9, 0.9),
          polygon(0, -1, 1, 0.8, -1, 0.8),
          polygon(0, -1.15, 1.15, 0, 0, 1.15, -1.15, 0),
          polygon(0, 1, 1, -0.8, -1, -0.8),
          polygon(
              -0.35, -1, 0.35, -1, 0.35, -0.35, 1, -0.35, 1, 0.35, 0.35, 0.35, 0.35, 1, -0.35, 1,
              -0.35, 0.35, -1, 0.35, -1, -0.35, -0.35, -0.35),
          cross());

  /** The look of the series at a place in a chart. */
  public static Look of(int at) {
    return new Look(at % COLORS.size(), at % MEASURED_MARKERS, at % DASHES.size());
  }

  /** The look of a series that several runs have: one colour, other markers and dashes. */
  public static Look of(int at, int run) {
    return new Look(at % COLORS.size(), (at + run) % MEASURED_MARKERS, run % DASHES.size());
  }

  /** As red, green and blue in 24 bits, on a white ground. */
  public int rgb() {
    return color == TEXT ? TEXT_COLOR : COLORS.get(color);
  }

  List<double[]> shape() {
    return MARKERS.get(marker);
  }

  List<Integer> dashes() {
    return DASHES.get(dash);
  }

  private static List<double[]> circle() {
    List<double[]> points = new ArrayList<>();
    for (int i = 0; i < 24; i++) {
      points.add(new double[] {Math.cos(i * Math.PI / 12), Math.sin(i * Math.PI / 12)});
    }
    return points;
  }

  private static List<double[]> cross() {
    List<double[]> points = new ArrayList<>();
    double[] corners = {0, -0.4, 0.7, -1.1, 1.1, -0.7, 0.4, 0, 1.1, 0.7, 0.7, 1.1};
    for (int quarter = 0; quarter < 2; quarter++) {
      double sign = quarter == 0 ? 1 : -1;
      for (int i = 0; i < corners.length; i += 2) {
        points.add(new double[] {sign * corners[i], sign * corners[i + 1]});
      }
    }
    return points;
  }

  private static List<double[]> polygon(double... coordinates) {
    List<double[]> points = new ArrayList<>();
    for (int i = 0; i < coordinates.length; i += 2) {
      points.add(new double[] {coordinates[i], coordinates[i + 1]});
    }
    return points;
  }
}
