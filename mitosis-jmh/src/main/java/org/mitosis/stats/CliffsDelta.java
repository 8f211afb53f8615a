// SPDX-License-Identifier: Apache-2.0
package org.mitosis.stats;

import java.util.Arrays;

/**
 * The effect size of two sets of samples of any distribution: the probability that a sample of the
 * second is larger than one of the first, minus the probability that it is smaller (Cliff 1993).
 * From -1, all are smaller, to 1, all are larger.
 */
public final class CliffsDelta {
  // Romano, Kromrey, Coraggio, Skowronek 2006.
  private static final double SMALL = 0.147;
  private static final double MEDIUM = 0.33;
  private static final double LARGE = 0.474;

  private CliffsDelta() {}

  /** The delta of two sets, which must not be empty; takes O(n log n). */
  public static double of(double[] first, double[] second) {
    double[] sorted = first.clone();
    Arrays.sort(sorted);
    long larger = 0;
    for (double value : second) {
      int below = firstAtLeast(sorted, value);
      int above = sorted.length - firstAtLeast(sorted, Math.nextUp(value));
      larger += below - above;
    }
    return (double) larger / ((long) first.length * second.length);
  }

  /** The usual name of its size. */
  public static String magnitude(double delta) {
    double size = Math.abs(delta);
    if (size < SMALL) {
      return "negligible";
    }
    if (size < MEDIUM) {
      return "small";
    }
    return size < LARGE ? "medium" : "large";
  }

  private static int firstAtLeast(double[] sorted, double value) {
    int from = 0;
    int to = sorted.length;
    while (from < to) {
      int middle = (from + to) >>> 1;
      if (sorted[middle] < value) {
        from = middle + 1;
      } else {
        to = middle;
      }
    }
    return from;
  }
}
