// SPDX-License-Identifier: Apache-2.0
package org.mitosis.report.chart;

import java.util.ArrayList;
import java.util.List;
import java.util.Locale;

/**
 * An axis: how values become places, and which are labelled.
 *
 * @param title quantity and unit, in words
 * @param scale the mapping
 * @param categories the names of the places 0, 1, 2, ...; empty unless the scale is {@link
 *     Scale#CATEGORIES}
 */
public record Axis(String title, Scale scale, List<String> categories) {
  /** Mappings from values to places. */
  public enum Scale {
    /** In proportion, from 0. */
    LINEAR,
    /** Logarithmic. */
    LOGARITHMIC,
    /** Bytes, logarithmic, labelled at powers of two. */
    BYTES,
    /** Ratios, logarithmic, labelled at powers of two. */
    RATIO,
    /** 1/(1-p), logarithmic, labelled with p: 1, 10, 100 are 0 %, 90 %, 99 %. */
    PERCENTILE,
    /** Names at the places 0, 1, 2, ... */
    CATEGORIES
  }

  /** A labelled value. */
  record Tick(double at, String label) {}

  private static final int MOST_LABELS = 12;
  private static final double PAD = 0.04;
  private static final double FEW_DECADES = 2;
  private static final double LN2 = Math.log(2);

  /** Copies the names. */
  public Axis {
    categories = List.copyOf(categories);
  }

  /** An axis of numbers. */
  public static Axis of(String title, Scale scale) {
    return new Axis(title, scale, List.of());
  }

  /** An axis of names. */
  public static Axis ofCategories(String title, List<String> names) {
    return new Axis(title, Scale.CATEGORIES, names);
  }

  boolean isLogarithmic() {
    return scale != Scale.LINEAR && scale != Scale.CATEGORIES;
  }

  /** The share of a range that lies below a value. */
  double place(double value, double[] range) {
    return (scaled(value) - scaled(range[0])) / (scaled(range[1]) - scaled(range[0]));
  }

  private double scaled(double value) {
    return isLogarithmic() ? Math.log(value) : value;
  }

  /** A range with some room around what is drawn. */
  double[] range(double low, double high) {
    if (scale == Scale.CATEGORIES) {
      return new double[] {-0.5, categories.size() - 0.5};
    }
    if (low > high) {
      return new double[] {1, 2};
    }
    if (scale == Scale.LINEAR) {
      return new double[] {Math.min(0, low), high > 0 ? high * (1 + PAD) : 1};
    }
    if (scale == Scale.PERCENTILE) {
      return new double[] {1, Math.max(high, 10)};
    }
    double least = scale == Scale.RATIO ? Math.min(low, 0.5) : low;
    double most = scale == Scale.RATIO ? Math.max(high, 2) : high;
    double room = Math.max(Math.log(most / least) * PAD, 0.05);
    return new double[] {least * Math.exp(-room), most * Math.exp(room)};
  }

  /** The labelled values of a range. */
  List<Tick> ticks(double[] range) {
    List<Tick> ticks = new ArrayList<>();
    switch (scale) {
      case CATEGORIES:
        for (int i = 0; i < categories.size(); i++) {
          ticks.add(new Tick(i, categories.get(i)));
        }
        break;
      case LINEAR:
        linear(range, ticks);
        break;
      case BYTES:
      case RATIO:
        powersOfTwo(range, ticks);
        break;
      default:
        decades(range, ticks);
        break;
    }
    return ticks;
  }

  private static void linear(double[] range, List<Tick> ticks) {
    double rough = (range[1] - range[0]) / 6;
    double decade = Math.pow(10, Math.floor(Math.log10(rough)));
    double step = decade;
    for (int factor : new int[] {2, 5, 10}) {
      if (step < rough) {
        step = decade * factor;
      }
    }
    for (long i = (long) Math.ceil(range[0] / step); i * step <= range[1]; i++) {
      ticks.add(new Tick(i * step, number(i * step)));
    }
  }

  private void powersOfTwo(double[] range, List<Tick> ticks) {
    int from = (int) Math.ceil(Math.log(range[0]) / LN2 - 1e-9);
    int to = (int) Math.floor(Math.log(range[1]) / LN2 + 1e-9);
    int step = 1 + (to - from) / MOST_LABELS;
    for (int power = from; power <= to; power += step) {
      double value = Math.pow(2, power);
      ticks.add(new Tick(value, scale == Scale.BYTES ? bytes(value) : number(value)));
    }
  }

  private void decades(double[] range, List<Tick> ticks) {
    boolean few = Math.log10(range[1] / range[0]) < FEW_DECADES;
    boolean one = Math.log10(range[1] / range[0]) < 0.6;
    int[] digits =
        scale == Scale.PERCENTILE || !few
            ? new int[] {1}
            : one ? new int[] {1, 2, 3, 4, 5, 6, 7, 8, 9} : new int[] {1, 2, 5};
    for (int power = (int) Math.floor(Math.log10(range[0]));
        Math.pow(10, power) <= range[1];
        power++) {
      for (int digit : digits) {
        double value = digit * Math.pow(10, power);
        if (value >= range[0] * (1 - 1e-9) && value <= range[1] * (1 + 1e-9)) {
          ticks.add(
              new Tick(
                  value,
                  scale == Scale.PERCENTILE ? number(100 - 100 / value) + " %" : number(value)));
        }
      }
    }
  }

  /** A number without an exponent and without zeros at its end. */
  static String number(double value) {
    String text = String.format(Locale.ROOT, "%.9f", value);
    return text.replaceFirst("0+$", "").replaceFirst("\\.$", "");
  }

  private static String bytes(double value) {
    String[] units = {"B", "KiB", "MiB", "GiB", "TiB"};
    int at = 0;
    double scaled = value;
    while (at + 1 < units.length && scaled >= 1024) {
      scaled /= 1024;
      at++;
    }
    return number(scaled) + " " + units[at];
  }
}
