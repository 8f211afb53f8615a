// SPDX-License-Identifier: Apache-2.0
package org.mitosis.stats;

import java.util.Arrays;
import java.util.List;
import org.HdrHistogram.AbstractHistogram;

/**
 * The samples of a histogram without its empty buckets: some hundred bytes instead of some hundred
 * thousand, so that all slices of a long run fit into memory and are merged quickly.
 *
 * <p>A value is the largest of its bucket, as {@link AbstractHistogram#getValueAtPercentile}
 * returns it.
 */
public final class ValueCounts {
  /** No samples at all. */
  public static final ValueCounts NONE = new Builder().build();

  /** LEB128 of each value's distance from the one before it, and of its count. */
  private final byte[] bytes;

  private final long total;
  private final long max;

  private ValueCounts(byte[] bytes, long total, long max) {
    this.bytes = bytes;
    this.total = total;
    this.max = max;
  }

  /** The samples of a histogram. */
  public static ValueCounts of(AbstractHistogram histogram) {
    Builder builder = new Builder();
    // Most buckets of a histogram are below the least value.
    long at = histogram.getMinValue();
    while (builder.total < histogram.getTotalCount()) {
      builder.add(histogram.highestEquivalentValue(at), histogram.getCountAtValue(at));
      at = histogram.nextNonEquivalentValue(at);
    }
    return builder.build();
  }

  /** The samples of several together. */
  public static ValueCounts joined(List<ValueCounts> all) {
    int size = all.size();
    return switch (size) {
      case 0 -> NONE;
      case 1 -> all.get(0);
      default -> merged(joined(all.subList(0, size / 2)), joined(all.subList(size / 2, size)));
    };
  }

  private static ValueCounts merged(ValueCounts some, ValueCounts others) {
    Builder builder = new Builder();
    Cursor one = new Cursor(some.bytes);
    Cursor other = new Cursor(others.bytes);
    one.next();
    other.next();
    while (one.count > 0 || other.count > 0) {
      if (other.count == 0 || one.count > 0 && one.value < other.value) {
        builder.add(one.value, one.count);
        one.next();
      } else if (one.count == 0 || other.value < one.value) {
        builder.add(other.value, other.count);
        other.next();
      } else {
        builder.add(one.value, one.count + other.count);
        one.next();
        other.next();
      }
    }
    return builder.build();
  }

  /** The number of samples. */
  public long total() {
    return total;
  }

  /** The smallest; 0 if there are none. */
  public long min() {
    return atPercentile(0);
  }

  /** The largest; 0 if there are none. */
  public long max() {
    return max;
  }

  /** The median: of an even number of samples, the mean of the two in the middle; 0 without any. */
  public double median() {
    long lower = atRank((total + 1) / 2);
    return total % 2 == 1 ? lower : lower + (atRank(total / 2 + 1) - lower) / 2.0;
  }

  /**
   * The smallest value with this share of the samples at or below it; 0 without samples.
   *
   * @param percentile 0 to 100
   */
  public long atPercentile(double percentile) {
    // Without nextDown, rounding could turn a whole number of samples into the next one.
    return atRank(Math.max(1, (long) Math.ceil(Math.nextDown(percentile) * total / 100)));
  }

  /** The sample with this number in ascending order, from 1. */
  private long atRank(long wanted) {
    long seen = 0;
    Cursor cursor = new Cursor(bytes);
    while (seen < wanted && cursor.next()) {
      seen += cursor.count;
    }
    return cursor.value;
  }

  /** Iterates over the values in ascending order. */
  private static final class Cursor {
    private final byte[] bytes;
    private int at;

    /** The current value. */
    long value;

    /** The number of samples with it; 0 after the last one. */
    long count;

    Cursor(byte[] bytes) {
      this.bytes = bytes;
    }

    boolean next() {
      if (at == bytes.length) {
        count = 0;
        return false;
      }
      value += number();
      count = number();
      return true;
    }

    private long number() {
      long bits = bytes[at++];
      if (bits >= 0) {
        return bits;
      }
      bits &= 0x7F;
      for (int shift = 7; ; shift += 7) {
        byte next = bytes[at++];
        bits |= (next & 0x7FL) << shift;
        if (next >= 0) {
          return bits;
        }
      }
    }
  }

  /** Collects samples, whose values must be added in ascending order. */
  public static final class Builder {
    private static final int LONGEST_NUMBER = 10;

    private byte[] bytes = new byte[256];
    private int size;
    private long last;
    private long total;

    /** A builder without samples. */
    public Builder() {}

    /**
     * Adds samples.
     *
     * @param value in any unit; at least 0, and larger than the last one
     * @param count number of samples with it; 0 adds nothing
     */
    public void add(long value, long count) {
      if (count == 0) {
        return;
      }
      if (size + 2 * LONGEST_NUMBER > bytes.length) {
        bytes = Arrays.copyOf(bytes, bytes.length * 2);
      }
      number(value - last);
      number(count);
      last = value;
      total += count;
    }

    private void number(long number) {
      long left = number;
      while (left > 0x7F) {
        bytes[size++] = (byte) (left | 0x80);
        left >>>= 7;
      }
      bytes[size++] = (byte) left;
    }

    /** The samples that have been added. */
    public ValueCounts build() {
      return new ValueCounts(Arrays.copyOf(bytes, size), total, last);
    }
  }
}
