// SPDX-License-Identifier: Apache-2.0
package org.mitosis.stats;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.Arrays;
import java.util.stream.IntStream;
import org.HdrHistogram.Histogram;
import org.junit.jupiter.api.Test;

/** Expected values are worked out by hand. */
class SummaryTest {
  @Test
  void ofFiveSamplesInAnyOrder() {
    Summary summary = Summary.of(5, 1, 4, 2, 3);
    assertEquals(5, summary.count());
    assertEquals(3, summary.median());
    assertTrue(Double.isNaN(summary.p90()), "five samples do not carry it");
    assertEquals((4.0 - 2.0) / 3.0, summary.spread(), 1e-12, "quartiles 2 and 4");
  }

  @Test
  void ofAnEvenNumberTheMedianLiesBetween() {
    assertEquals(2.5, Summary.of(1, 2, 3, 4).median());
  }

  @Test
  void ofOneSampleAllIsThatSample() {
    assertEquals(new Summary(1, 7, Double.NaN, Double.NaN, Double.NaN, 7, 0), Summary.of(7));
  }

  /** The mice of Efron and Tibshirani, as numpy.percentile has them. */
  @Test
  void percentilesLieBetweenNeighbours() {
    Summary summary = Summary.of(94, 197, 16, 38, 99, 141, 23);
    assertEquals(94, summary.median());
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
        new Summary(4, 25, Double.NaN, Double.NaN, Double.NaN, 40, 30 - 10),
        Summary.of(ValueCounts.of(histogram)));
    assertEquals(0.8, Summary.of(ValueCounts.of(histogram)).spread());
  }

  @Test
  void aPercentileHasAtLeastOneSampleAboveIt() {
    double[] samples = IntStream.rangeClosed(1, 1000).mapToDouble(i -> i).toArray();
    assertTrue(Double.isNaN(Summary.of(Arrays.copyOf(samples, 99)).p99()));
    assertEquals(99.01, Summary.of(Arrays.copyOf(samples, 100)).p99(), 1e-9);
    assertTrue(Double.isNaN(Summary.of(Arrays.copyOf(samples, 999)).p999()));
    assertEquals(999.001, Summary.of(samples).p999(), 1e-9);
    assertEquals(9.1, Summary.of(Arrays.copyOf(samples, 10)).p90(), 1e-9);
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
