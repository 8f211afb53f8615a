// SPDX-License-Identifier: Apache-2.0
package org.mitosis.stats;

/**
 * A confidence interval.
 *
 * @param low its lower end
 * @param high its upper end
 * @param confidence the share of such intervals that contain the figure, at most; 0 to 1
 */
public record Interval(double low, double high, double confidence) {
  /** Whether a value is in it, ends included. */
  public boolean contains(double value) {
    return value >= low && value <= high;
  }
}
