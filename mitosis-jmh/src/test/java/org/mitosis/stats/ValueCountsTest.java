// SPDX-License-Identifier: Apache-2.0
package org.mitosis.stats;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import org.HdrHistogram.Histogram;
import org.junit.jupiter.api.Test;

class ValueCountsTest {
  private final Random random = new Random(1);

  @Test
  void ofNothingAllIsZero() {
    assertEquals(0, ValueCounts.of(new Histogram(3)).total());
    assertEquals(0, ValueCounts.NONE.median());
    assertEquals(0, ValueCounts.NONE.min());
    assertEquals(0, ValueCounts.joined(List.of()).max());
  }

  @Test
  void twoValuesThatAHistogramCannotTellApartAreOne() {
    ValueCounts samples = of(1_000_000, 1_000_100);
    assertEquals(2, samples.total());
    assertEquals(samples.min(), samples.max());
  }

  @Test
  void percentilesAreThoseOfAHistogramOfAll() {
    Histogram all = new Histogram(3);
    List<ValueCounts> parts = new ArrayList<>();
    for (int part = 0; part < 7; part++) {
      Histogram some = new Histogram(3);
      for (int i = 0; i < 150 * part; i++) {
        some.recordValue((long) Math.exp(random.nextGaussian() * 3 + 12));
      }
      all.add(some);
      parts.add(ValueCounts.of(some));
    }
    ValueCounts joined = ValueCounts.joined(parts);
    assertEquals(all.getTotalCount(), joined.total());
    assertEquals(all.highestEquivalentValue(all.getMinValue()), joined.min());
    assertEquals(all.getMaxValue(), joined.max());
    for (double percentile = 0; percentile <= 100; percentile += 0.1) {
      assertEquals(
          all.getValueAtPercentile(percentile),
          joined.atPercentile(percentile),
          "at " + percentile);
    }
  }

  @Test
  void theMedianOfAnEvenNumberLiesBetweenTheTwoInTheMiddle() {
    assertEquals(20, of(10, 30).median());
    assertEquals(25, of(10, 20, 30, 40).median());
    assertEquals(20, of(10, 20, 20, 40).median());
    assertEquals(20, of(10, 20, 40).median());
  }

  @Test
  void joiningLeavesTheOthersAsTheyAre() {
    ValueCounts one = of(1, 2);
    assertEquals(4, ValueCounts.joined(List.of(one, one)).total());
    assertEquals(2, one.total());
  }

  private static ValueCounts of(long... values) {
    Histogram histogram = new Histogram(3);
    for (long value : values) {
      histogram.recordValue(value);
    }
    return ValueCounts.of(histogram);
  }
}
