// SPDX-License-Identifier: Apache-2.0
package org.mitosis.report;

import java.math.BigDecimal;
import java.math.MathContext;
import java.math.RoundingMode;
import java.util.Locale;
import org.mitosis.result.Figure;

/** Formats values: three significant digits, times in the unit that fits them. */
final class Quantity {
  /** The text for an unknown value. */
  static final String NOTHING = "–";

  private static final int DIGITS = 3;

  private static final String[] TIMES = {"ns", "µs", "ms", "s"};

  private Quantity() {}

  /** A value with its unit, such as {@code 1.21 ms} or {@code 341 ops/s}. */
  static String of(double value, String unit) {
    if (!Double.isFinite(value)) {
      return NOTHING;
    }
    if (!unit.equals(Figure.NS)) {
      return number(value) + " " + unit;
    }
    int at = 0;
    double scaled = value;
    while (at + 1 < TIMES.length && Math.abs(rounded(scaled).doubleValue()) >= 1000) {
      scaled /= 1000;
      at++;
    }
    return number(scaled) + " " + TIMES[at];
  }

  /** A number without a unit. */
  static String number(double value) {
    return Double.isFinite(value) ? rounded(value).toPlainString() : NOTHING;
  }

  /** A number without zeros at its end. */
  static String trimmed(double value) {
    return BigDecimal.valueOf(value)
        .setScale(6, RoundingMode.HALF_EVEN)
        .stripTrailingZeros()
        .toPlainString();
  }

  /** A ratio, three decimals. */
  static String ratio(double ratio) {
    return Double.isFinite(ratio) ? String.format(Locale.ROOT, "%.3f", ratio) : NOTHING;
  }

  /** A p-value in the form that papers use. */
  static String pValue(double p) {
    if (Double.isNaN(p)) {
      return NOTHING;
    }
    return p < 0.001 ? "<0.001" : String.format(Locale.ROOT, "%.3f", p);
  }

  /** A size of memory, such as {@code 64 MiB}. */
  static String bytes(long bytes) {
    String[] units = {"B", "KiB", "MiB", "GiB"};
    int at = 0;
    long scaled = bytes;
    while (at + 1 < units.length && scaled >= 1024 && scaled % 1024 == 0) {
      scaled /= 1024;
      at++;
    }
    return scaled + " " + units[at];
  }

  private static BigDecimal rounded(double value) {
    BigDecimal exact = BigDecimal.valueOf(value);
    if (exact.signum() == 0) {
      return BigDecimal.ZERO;
    }
    BigDecimal rounded = exact.round(new MathContext(DIGITS, RoundingMode.HALF_EVEN));
    // No exponent and no insignificant zeros: 1200 stays 1200, 0.500 stays 0.500.
    return rounded.scale() < 0 ? exact.setScale(0, RoundingMode.HALF_EVEN) : padded(rounded);
  }

  private static BigDecimal padded(BigDecimal rounded) {
    int missing = DIGITS - rounded.precision();
    return missing > 0 && rounded.scale() + missing > 0
        ? rounded.setScale(Math.max(rounded.scale(), rounded.scale() + missing))
        : rounded;
  }
}
