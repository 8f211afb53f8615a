// SPDX-License-Identifier: Apache-2.0
package org.mitosis.result;

import java.util.Arrays;
import org.HdrHistogram.Histogram;

/**
 * The samples of a histogram without its empty places: some hundred bytes where a histogram of
 * milliseconds takes as many thousand, so that all slices of a long run fit into memory.
 */
public final class ValueCounts {
  private final long[] values;
  private final long[] counts;

  private ValueCounts(long[] values, long[] counts) {
    this.values = values;
    this.counts = counts;
  }

  /** The samples of a histogram. */
  public static ValueCounts of(Histogram histogram) {
    long[] values = new long[8];
    long[] counts = new long[8];
    int size = 0;
    // From the least on: most places of a histogram are below it.
    long left = histogram.getTotalCount();
    for (long at = histogram.getMinValue(); left > 0; at = histogram.nextNonEquivalentValue(at)) {
      long count = histogram.getCountAtValue(at);
      if (count > 0) {
        if (size == values.length) {
          values = Arrays.copyOf(values, size * 2);
          counts = Arrays.copyOf(counts, size * 2);
        }
        values[size] = histogram.highestEquivalentValue(at);
        counts[size++] = count;
        left -= count;
      }
    }
    return new ValueCounts(Arrays.copyOf(values, size), Arrays.copyOf(counts, size));
  }

  /** All of them in one histogram. */
  public static Histogram joined(Iterable<ValueCounts> all) {
    Histogram histogram = new Histogram(SelfTimed.SIGNIFICANT_DIGITS);
    all.forEach(one -> one.addTo(histogram));
    return histogram;
  }

  /** How many samples they are. */
  public long total() {
    long total = 0;
    for (long count : counts) {
      total += count;
    }
    return total;
  }

  /** The median, as a histogram gives it; 0 if there are none. */
  public long median() {
    long total = total();
    long seen = 0;
    for (int i = 0; i < values.length; i++) {
      seen += counts[i];
      if (seen * 2 >= total) {
        return values[i];
      }
    }
    return 0;
  }

  private void addTo(Histogram histogram) {
    for (int i = 0; i < values.length; i++) {
      histogram.recordValueWithCount(values[i], counts[i]);
    }
  }
}
