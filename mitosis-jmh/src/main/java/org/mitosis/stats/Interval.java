// SPDX-License-Identifier: Apache-2.0
package org.mitosis.stats;

/**
 * Where a figure lies, as far as the samples tell.
 *
 * @param low its lower end
 * @param high its upper end
 * @param confidence how often such intervals hold the figure, at most; 0 to 1
 */
public record Interval(double low, double high, double confidence) {
  /** Whether a value is in it, ends included. */
  public boolean contains(double value) {
    return value >= low && value <= high;
  }
}
