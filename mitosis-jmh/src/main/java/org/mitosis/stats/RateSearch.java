// SPDX-License-Identifier: Apache-2.0
package org.mitosis.stats;

import java.util.Arrays;

/**
 * Finds the highest rate that holds by bisection, in a bounded number of trials.
 *
 * <p>Rates that hold are taken to be those up to some rate. Noise may break that near the border:
 * the result is a rate that held, below one that did not, or that is above the capacity.
 */
public final class RateSearch {
  /** The search ends when the lowest rate that did not hold is at most so much higher. */
  static final double TOLERANCE = 0.05;

  /** No rate far above what one child after the other reaches can hold. */
  private static final double ABOVE_CAPACITY = 1.1;

  private RateSearch() {}

  /** One trial of a rate. */
  public interface Trial {
    /**
     * Tries a rate.
     *
     * @param rate per second
     * @param step from 1
     * @return whether it held
     */
    boolean holds(int rate, int step);
  }

  /**
   * The result.
   *
   * @param rate the highest one that held; 0 if none did
   * @param steps trials made
   */
  public record Found(int rate, int steps) {}

  /**
   * Searches.
   *
   * @param least the lowest rate to try, at least 1
   * @param capacity the rate of one after the other without a pause
   * @param maxSteps trials at most, at least 1
   */
  public static Found highest(int least, double capacity, int maxSteps, Trial trial) {
    int holds = 0;
    int fails = (int) Math.max(least + 1L, Math.round(capacity * ABOVE_CAPACITY));
    int steps = 0;
    while (steps < maxSteps) {
      int rate = Math.max(least, (int) ((holds + (long) fails) / 2));
      if (rate <= holds || rate >= fails) {
        break;
      }
      if (trial.holds(rate, ++steps)) {
        holds = rate;
      } else {
        fails = rate;
      }
      if (fails <= holds * (1 + TOLERANCE)) {
        break;
      }
    }
    return new Found(holds, steps);
  }

  /**
   * The value that 99 of 100 do not exceed; of fewer than 100 the greatest.
   *
   * @throws IllegalArgumentException if there are none
   */
  public static long p99(long[] values) {
    if (values.length == 0) {
      throw new IllegalArgumentException("no values, so no percentile");
    }
    long[] sorted = values.clone();
    Arrays.sort(sorted);
    return sorted[(int) Math.ceil(sorted.length * 0.99) - 1];
  }
}
