// SPDX-License-Identifier: Apache-2.0
package org.mitosis.stats;

import org.HdrHistogram.AbstractHistogram;
import org.apache.commons.math3.stat.descriptive.rank.Percentile;
import org.apache.commons.math3.stat.descriptive.rank.Percentile.EstimationType;

/**
 * What a table says of a set of samples, in their own unit. Of no samples at all, every figure but
 * the count is NaN.
 *
 * @param count how many samples
 * @param median half of them are below
 * @param p99 99 % of them are below; below 100 samples this is close to the largest
 * @param spread distance between the quartiles, as a share of the median: 0 if all are alike
 */
public record Summary(long count, double median, double p99, double spread) {
  /** A summary of no samples. */
  public static final Summary NONE = new Summary(0, Double.NaN, Double.NaN, Double.NaN);

  /** Of samples in memory; percentiles are interpolated between neighbours (R's type 7). */
  public static Summary of(double... samples) {
    if (samples.length == 0) {
      return NONE;
    }
    Percentile percentile = new Percentile().withEstimationType(EstimationType.R_7);
    percentile.setData(samples);
    return of(
        samples.length,
        percentile.evaluate(25),
        percentile.evaluate(50),
        percentile.evaluate(75),
        percentile.evaluate(99));
  }

  /**
   * Of a histogram; a percentile is the smallest recorded value with that share of the samples at
   * or below it, as precise as the histogram is.
   */
  public static Summary of(AbstractHistogram histogram) {
    if (histogram.getTotalCount() == 0) {
      return NONE;
    }
    return of(
        histogram.getTotalCount(),
        histogram.getValueAtPercentile(25),
        histogram.getValueAtPercentile(50),
        histogram.getValueAtPercentile(75),
        histogram.getValueAtPercentile(99));
  }

  private static Summary of(long count, double p25, double median, double p75, double p99) {
    double range = p75 - p25;
    return new Summary(count, median, p99, range == 0 ? 0 : range / median);
  }
}
