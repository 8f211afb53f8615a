// SPDX-License-Identifier: Apache-2.0
package org.mitosis.report;

import java.util.Comparator;
import java.util.Map;
import java.util.stream.Collectors;
import org.mitosis.result.Figure;

/** The order of rows: numbers by their value, everything else by its letters. */
final class FigureOrder {
  private static final int LONGEST_NUMBER = 20;

  /** By benchmark, metric, settings, and then working set or function. */
  static final Comparator<Figure> BY_NAME =
      Comparator.comparing(Figure::shortName)
          .thenComparing(Figure::metric)
          .thenComparing(figure -> padded(figure.setting()))
          .thenComparing(figure -> figure.memoryBytes().orElse(-1L))
          .thenComparing(figure -> padded(figure.params()));

  private FigureOrder() {}

  private static String padded(Map<String, String> params) {
    return params.entrySet().stream()
        .map(one -> one.getKey() + "=" + padded(one.getValue()))
        .collect(Collectors.joining(" "));
  }

  private static String padded(String value) {
    return value.matches("[0-9]+")
        ? "0".repeat(Math.max(0, LONGEST_NUMBER - value.length())) + value
        : value;
  }
}
