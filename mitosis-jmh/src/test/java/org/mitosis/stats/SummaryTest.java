// SPDX-License-Identifier: Apache-2.0
package org.mitosis.stats;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import org.HdrHistogram.Histogram;
import org.junit.jupiter.api.Test;

/** Expected values are worked out by hand. */
class SummaryTest {
  @Test
  void ofFiveSamplesInAnyOrder() {
    Summary summary = Summary.of(5, 1, 4, 2, 3);
    assertEquals(5, summary.count());
    assertEquals(3, summary.median());
    assertEquals(4.96, summary.p99(), 1e-12, "rank 1 + 4 * 0.99 = 4.96");
    assertEquals((4.0 - 2.0) / 3.0, summary.spread(), 1e-12, "quartiles 2 and 4");
  }

  @Test
  void ofAnEvenNumberTheMedianLiesBetween() {
    assertEquals(2.5, Summary.of(1, 2, 3, 4).median());
  }

  @Test
  void ofOneSampleAllIsThatSample() {
    assertEquals(new Summary(1, 7, 7, 7, 7, 7, 0), Summary.of(7));
  }

  /** The mice of Efron and Tibshirani, as numpy.percentile has them. */
  @Test
  void percentilesLieBetweenNeighbours() {
    Summary summary = Summary.of(94, 197, 16, 38, 99, 141, 23);
    assertEquals(94, summary.median());
    assertEquals(163.4, summary.p90(), 1e-9);
    assertEquals(193.64, summary.p99(), 1e-9);
    assertEquals(120 - 30.5, summary.range(), 1e-9);
  }

  @Test
  void ofEqualSamplesTheSpreadIsZeroEvenAtZero() {
    assertEquals(0, Summary.of(0, 0, 0).spread());
  }

  @Test
  void ofNothingThereIsNothingToSay() {
    assertEquals(0, Summary.of().count());
    assertTrue(Double.isNaN(Summary.of().median()));
    assertTrue(Double.isNaN(Summary.of(ValueCounts.NONE).spread()));
  }

  @Test
  void ofAHistogramPercentilesAreRecordedValues() {
    Histogram histogram = new Histogram(3);
    for (long value : new long[] {10, 20, 30, 40}) {
      histogram.recordValue(value);
    }
    assertEquals(
        new Summary(4, 20, 40, 40, 40, 40, 30 - 10), Summary.of(ValueCounts.of(histogram)));
    assertEquals(1, Summary.of(ValueCounts.of(histogram)).spread());
  }

  @Test
  void ofAHistogramTheLastHundredthIsBeyondP99() {
    Histogram histogram = new Histogram(3);
    histogram.recordValueWithCount(100, 99);
    histogram.recordValueWithCount(1000, 1);
    assertEquals(100, Summary.of(ValueCounts.of(histogram)).p99());
    histogram.recordValueWithCount(1000, 1);
    assertEquals(1000, Summary.of(ValueCounts.of(histogram)).p99());
  }
}
