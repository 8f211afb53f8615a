// SPDX-License-Identifier: Apache-2.0
package org.mitosis.stats;

import java.util.Comparator;
import java.util.stream.IntStream;

/**
 * The correction for multiple comparisons (Holm 1979): the probability that a sweep without any
 * difference shows one is at most the significance level.
 */
public final class Holm {
  private Holm() {}

  /**
   * Adjusts p-values.
   *
   * @param values of all comparisons; NaN for a missing one, which is not counted
   * @return in the same order, comparable with the level
   */
  public static double[] adjust(double... values) {
    int[] ascending =
        IntStream.range(0, values.length)
            .filter(i -> !Double.isNaN(values[i]))
            .boxed()
            .sorted(Comparator.comparingDouble(i -> values[i]))
            .mapToInt(Integer::intValue)
            .toArray();
    double[] adjusted = values.clone();
    double largest = 0;
    for (int rank = 0; rank < ascending.length; rank++) {
      int at = ascending[rank];
      largest = Math.max(largest, Math.min(1, (ascending.length - rank) * values[at]));
      adjusted[at] = largest;
    }
    return adjusted;
  }
}
