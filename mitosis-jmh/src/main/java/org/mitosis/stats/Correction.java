// SPDX-License-Identifier: Apache-2.0
package org.mitosis.stats;

import java.util.Comparator;
import java.util.stream.IntStream;

/**
 * A correction for many comparisons at once: without one, five in a hundred equal figures are
 * called different.
 */
public enum Correction {
  /**
   * Of the figures that are called different, at most 5 % are not, on average (Benjamini and
   * Hochberg 1995). Of two equal runs, at most 5 % have any figure that is called different.
   */
  BENJAMINI_HOCHBERG("bh", "Benjamini-Hochberg") {
    @Override
    public double[] adjust(double... values) {
      int[] ascending = ascending(values);
      double[] adjusted = values.clone();
      double least = 1;
      for (int rank = ascending.length; rank > 0; rank--) {
        int at = ascending[rank - 1];
        least = Math.min(least, values[at] * ascending.length / rank);
        adjusted[at] = least;
      }
      return adjusted;
    }
  },

  /**
   * At most 5 % of all comparisons have any figure that is wrongly called different, however many
   * others are different (Holm 1979). It finds fewer.
   */
  HOLM("holm", "Holm") {
    @Override
    public double[] adjust(double... values) {
      int[] ascending = ascending(values);
      double[] adjusted = values.clone();
      double largest = 0;
      for (int rank = 0; rank < ascending.length; rank++) {
        int at = ascending[rank];
        largest = Math.max(largest, Math.min(1, values[at] * (ascending.length - rank)));
        adjusted[at] = largest;
      }
      return adjusted;
    }
  };

  private final String option;
  private final String text;

  Correction(String option, String text) {
    this.option = option;
    this.text = text;
  }

  /** The word for it on a command line. */
  public String option() {
    return option;
  }

  /** The name in tables. */
  @Override
  public String toString() {
    return text;
  }

  /**
   * Adjusts p-values.
   *
   * @param values of all comparisons; NaN for a missing one, which is not counted
   * @return in the same order, comparable with the level
   */
  public abstract double[] adjust(double... values);

  private static int[] ascending(double... values) {
    return IntStream.range(0, values.length)
        .filter(i -> !Double.isNaN(values[i]))
        .boxed()
        .sorted(Comparator.comparingDouble(i -> values[i]))
        .mapToInt(Integer::intValue)
        .toArray();
  }
}
