// SPDX-License-Identifier: Apache-2.0
package org.mitosis.report.chart;

import java.util.List;

/** Where a drawing goes; the vertical axis is downwards. */
interface Canvas {
  /** The side of a text that its place names. */
  enum Anchor {
    START,
    MIDDLE,
    END
  }

  /** All that follows until {@link #end} belongs to a series. */
  default void begin(String series) {}

  /** Ends a series. */
  default void end() {}

  /**
   * Lines through points.
   *
   * @param dashes lengths of lines and gaps; a solid line if empty
   */
  void line(List<double[]> points, int rgb, double width, List<Integer> dashes);

  /** A filled polygon, with an opacity from 0 to 1. */
  void area(List<double[]> polygon, int rgb, double opacity);

  /**
   * A line of text, whose baseline is at y.
   *
   * @param degrees by how much it is turned around its place, with the clock
   */
  void text(String text, double x, double y, double size, Anchor anchor, double degrees);
}
