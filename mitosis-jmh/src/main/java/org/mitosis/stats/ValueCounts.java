// SPDX-License-Identifier: Apache-2.0
package org.mitosis.stats;

import java.util.Arrays;
import java.util.List;
import org.HdrHistogram.AbstractHistogram;

/**
 * The samples of a histogram without its empty places: some hundred bytes where a histogram of
 * milliseconds takes as many thousand, so that all slices of a long run fit into memory, and are
 * put together without walking over what is empty.
 *
 * <p>A value stands for all that the histogram does not tell apart, and is the largest of them, as
 * {@link AbstractHistogram#getValueAtPercentile} gives it.
 */
public final class ValueCounts {
  /** No samples at all. */
  public static final ValueCounts NONE = new ValueCounts(new long[0], new long[0]);

  private final long[] values; // ascending, each once
  private final long[] counts; // above 0
  private final long total;

  private ValueCounts(long[] values, long[] counts) {
    this.values = values;
    this.counts = counts;
    total = Arrays.stream(counts).sum();
  }

  /** The samples of a histogram. */
  public static ValueCounts of(AbstractHistogram histogram) {
    Builder builder = new Builder();
    // From the least on: most places of a histogram are below it.
    long at = histogram.getMinValue();
    while (builder.total < histogram.getTotalCount()) {
      builder.add(histogram.highestEquivalentValue(at), histogram.getCountAtValue(at));
      at = histogram.nextNonEquivalentValue(at);
    }
    return builder.build();
  }

  /** All of them together. */
  public static ValueCounts joined(List<ValueCounts> all) {
    int size = all.size();
    return switch (size) {
      case 0 -> NONE;
      case 1 -> all.get(0);
      default -> merged(joined(all.subList(0, size / 2)), joined(all.subList(size / 2, size)));
    };
  }

  private static ValueCounts merged(ValueCounts one, ValueCounts other) {
    Builder builder = new Builder(one.values.length + other.values.length);
    int i = 0;
    int j = 0;
    while (i < one.values.length || j < other.values.length) {
      boolean left = i < one.values.length;
      boolean right = j < other.values.length;
      if (left && right && one.values[i] == other.values[j]) {
        builder.add(one.values[i], one.counts[i++] + other.counts[j++]);
      } else if (left && (!right || one.values[i] < other.values[j])) {
        builder.add(one.values[i], one.counts[i++]);
      } else {
        builder.add(other.values[j], other.counts[j++]);
      }
    }
    return builder.build();
  }

  /** How many samples they are. */
  public long total() {
    return total;
  }

  /** The smallest; 0 if there are none. */
  public long min() {
    return values.length == 0 ? 0 : values[0];
  }

  /** The largest; 0 if there are none. */
  public long max() {
    return values.length == 0 ? 0 : values[values.length - 1];
  }

  /** The median, as {@link #atPercentile} has it. */
  public long median() {
    return atPercentile(50);
  }

  /**
   * The smallest value with that share of the samples at or below it; 0 if there are none.
   *
   * @param percentile 0 to 100
   */
  public long atPercentile(double percentile) {
    // A share that is a whole number of samples but for rounding is that number.
    long wanted = Math.max(1, (long) Math.ceil(Math.nextDown(percentile) * total / 100));
    long seen = 0;
    for (int i = 0; i < values.length; i++) {
      seen += counts[i];
      if (seen >= wanted) {
        return values[i];
      }
    }
    return max();
  }

  /** Puts samples together whose values are known in ascending order. */
  public static final class Builder {
    private long[] values;
    private long[] counts;
    private int size;
    private long total;

    /** Without samples. */
    public Builder() {
      this(16);
    }

    private Builder(int capacity) {
      values = new long[capacity];
      counts = new long[capacity];
    }

    /**
     * Adds samples.
     *
     * @param value larger than any before
     * @param count how many have it; none is no place
     */
    public void add(long value, long count) {
      if (count == 0) {
        return;
      }
      if (size == values.length) {
        values = Arrays.copyOf(values, size * 2);
        counts = Arrays.copyOf(counts, size * 2);
      }
      values[size] = value;
      counts[size++] = count;
      total += count;
    }

    /** What has been added. */
    public ValueCounts build() {
      return new ValueCounts(Arrays.copyOf(values, size), Arrays.copyOf(counts, size));
    }
  }
}
