// SPDX-License-Identifier: Apache-2.0
package org.mitosis.stats;

import java.util.function.DoubleSupplier;
import org.apache.commons.math3.stat.descriptive.rank.Percentile;
import org.apache.commons.math3.stat.descriptive.rank.Percentile.EstimationType;

/**
 * The summary of a set of samples, in their own unit. Of no samples at all, every figure but the
 * count is NaN.
 *
 * @param count number of samples
 * @param median half of them are below; of an even number, the mean of the two in the middle
 * @param p90 90 % of them are below; NaN below 10 samples
 * @param p99 99 % of them are below; NaN below 100 samples
 * @param p999 99.9 % of them are below; NaN below 1000 samples
 * @param max the largest
 * @param range distance between the quartiles
 */
public record Summary(
    long count, double median, double p90, double p99, double p999, double max, double range) {
  private static final int FEWEST_FOR_P90 = 10;
  private static final int FEWEST_FOR_P99 = 100;
  private static final int FEWEST_FOR_P999 = 1000;

  /** A summary of no samples. */
  public static final Summary NONE =
      new Summary(0, Double.NaN, Double.NaN, Double.NaN, Double.NaN, Double.NaN, Double.NaN);

  /** The summary of samples; percentiles are interpolated between neighbours (R's type 7). */
  public static Summary of(double... samples) {
    if (samples.length == 0) {
      return NONE;
    }
    Percentile percentile = new Percentile().withEstimationType(EstimationType.R_7);
    percentile.setData(samples);
    return new Summary(
        samples.length,
        percentile.evaluate(50),
        from(FEWEST_FOR_P90, samples.length, () -> percentile.evaluate(90)),
        from(FEWEST_FOR_P99, samples.length, () -> percentile.evaluate(99)),
        from(FEWEST_FOR_P999, samples.length, () -> percentile.evaluate(99.9)),
        percentile.evaluate(100),
        percentile.evaluate(75) - percentile.evaluate(25));
  }

  /**
   * The summary of counted samples; percentiles but the median are those of {@link ValueCounts}.
   */
  public static Summary of(ValueCounts samples) {
    if (samples.total() == 0) {
      return NONE;
    }
    return new Summary(
        samples.total(),
        samples.median(),
        from(FEWEST_FOR_P90, samples.total(), () -> samples.atPercentile(90)),
        from(FEWEST_FOR_P99, samples.total(), () -> samples.atPercentile(99)),
        from(FEWEST_FOR_P999, samples.total(), () -> samples.atPercentile(99.9)),
        samples.max(),
        samples.atPercentile(75) - samples.atPercentile(25));
  }

  /** A percentile above which there is less than one sample would be the largest. */
  private static double from(int fewest, long count, DoubleSupplier percentile) {
    return count < fewest ? Double.NaN : percentile.getAsDouble();
  }

  /** Distance between the quartiles, as a share of the median. */
  public double spread() {
    return range == 0 ? 0 : range / median;
  }
}
