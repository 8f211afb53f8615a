// SPDX-License-Identifier: Apache-2.0
package org.mitosis.result;

import java.math.BigDecimal;
import java.math.RoundingMode;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Function;

/** Numbers and columns of the tables that are printed after a run. */
public final class TableText {
  /** A cell without a value. */
  static final String NOTHING = "-";

  private static final int SIGNIFICANT_DIGITS = 3;
  private static final int FEWEST_DECIMALS = 3;

  private TableText() {}

  /** A number without sign and decimals; null if it is not one. */
  static BigDecimal numberOf(String text) {
    return text.matches("[0-9]+") ? new BigDecimal(text) : null;
  }

  /** A time with three decimals, as in the artifact, or with three significant digits. */
  public static String ms(double value) {
    return significant(value, FEWEST_DECIMALS);
  }

  static String significant(double value, int fewestDecimals) {
    if (Double.isNaN(value)) {
      return NOTHING;
    }
    BigDecimal exact = BigDecimal.valueOf(value);
    int digitsBeforePoint = exact.precision() - exact.scale();
    int decimals =
        exact.signum() == 0
            ? fewestDecimals
            : Math.max(fewestDecimals, SIGNIFICANT_DIGITS - digitsBeforePoint);
    return exact.setScale(Math.max(0, decimals), RoundingMode.HALF_EVEN).toPlainString();
  }

  /**
   * Columns two spaces apart, right-aligned but for a first column of text.
   *
   * @param rows the head first; all of one length
   */
  public static String aligned(List<List<String>> rows) {
    int columns = rows.get(0).size();
    List<Integer> widths = new ArrayList<>();
    for (int column = 0; column < columns; column++) {
      int at = column;
      widths.add(rows.stream().mapToInt(row -> row.get(at).length()).max().orElse(0));
    }
    boolean numbers = rows.stream().skip(1).allMatch(row -> numberOf(row.get(0)) != null);
    Function<List<String>, String> line =
        row -> {
          StringBuilder text = new StringBuilder();
          for (int column = 0; column < columns; column++) {
            String cell = row.get(column);
            String padding = " ".repeat(widths.get(column) - cell.length());
            boolean left = column == 0 && !numbers;
            text.append(column == 0 ? "" : "  ").append(left ? cell + padding : padding + cell);
          }
          return text.toString().stripTrailing() + "\n";
        };
    List<String> rule = widths.stream().map(width -> "-".repeat(width)).toList();
    StringBuilder text = new StringBuilder(line.apply(rows.get(0))).append(line.apply(rule));
    rows.subList(1, rows.size()).forEach(row -> text.append(line.apply(row)));
    return text.toString();
  }
}
