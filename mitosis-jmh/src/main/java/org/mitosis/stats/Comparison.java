// SPDX-License-Identifier: Apache-2.0
package org.mitosis.stats;

import java.util.Arrays;
import java.util.Optional;
import org.apache.commons.math3.distribution.TDistribution;
import org.apache.commons.math3.stat.StatUtils;
import org.apache.commons.statistics.inference.DataDispersion;
import org.apache.commons.statistics.inference.TTest;

/**
 * Compares a figure of two runs by the medians of their processes. Samples of one process are not
 * independent, so that each process counts once: with the iterations of all processes together, a
 * test finds differences between equal runs.
 *
 * <p>Test and interval are Welch's, for two groups of different variance, on the logarithms: noise
 * is a share of a time, and the difference of logarithms is the logarithm of the ratio.
 *
 * @param old median over the old processes, in their own unit
 * @param now median over the new ones
 * @param interval of the ratio new / old; empty if a side has fewer than two processes
 * @param pValue of Welch's t test, before any correction; NaN if a side has fewer than two
 *     processes, or a value is not above 0
 * @param delta Cliff's delta of the processes: above 0 if the new ones are larger
 * @param error standard error of the logarithm of the ratio
 * @param freedom Welch's degrees of freedom
 */
public record Comparison(
    double old,
    double now,
    Optional<Interval> interval,
    double pValue,
    double delta,
    double error,
    double freedom) {

  /** The significance level of adjusted p-values. */
  public static final double LEVEL = 0.05;

  /** The confidence of the interval. */
  public static final double CONFIDENCE = 0.95;

  /** The share of equal experiments that find a difference of the size that is called findable. */
  public static final double POWER = 0.9;

  /** The fewest processes of a side. */
  public static final int FEWEST = 2;

  /** Variance of a value that is known to three digits: equal medians are not free of error. */
  private static final double VARIANCE_OF_ROUNDING = 1e-6 / 12;

  /**
   * Compares two runs.
   *
   * @param old the median of each process
   * @param now the median of each process
   */
  public static Comparison of(double[] old, double[] now) {
    double oldMedian = Summary.of(old).median();
    double nowMedian = Summary.of(now).median();
    double delta = old.length == 0 || now.length == 0 ? Double.NaN : CliffsDelta.of(old, now);
    double[] before = logarithms(old);
    double[] after = logarithms(now);
    if (before.length < FEWEST || after.length < FEWEST || !areFinite(before, after)) {
      return new Comparison(
          oldMedian, nowMedian, Optional.empty(), Double.NaN, delta, Double.NaN, Double.NaN);
    }
    double variance = StatUtils.variance(before) + VARIANCE_OF_ROUNDING;
    double varianceNow = StatUtils.variance(after) + VARIANCE_OF_ROUNDING;
    double difference = StatUtils.mean(after) - StatUtils.mean(before);
    TTest.Result test =
        TTest.withDefaults()
            .with(DataDispersion.HETEROSCEDASTIC)
            .test(
                StatUtils.mean(after),
                varianceNow,
                after.length,
                StatUtils.mean(before),
                variance,
                before.length);
    double error = Math.sqrt(variance / before.length + varianceNow / after.length);
    double freedom = test.getDegreesOfFreedom();
    double reach =
        error * new TDistribution(freedom).inverseCumulativeProbability((1 + CONFIDENCE) / 2);
    return new Comparison(
        oldMedian,
        nowMedian,
        Optional.of(
            new Interval(Math.exp(difference - reach), Math.exp(difference + reach), CONFIDENCE)),
        test.getPValue(),
        delta,
        error,
        freedom);
  }

  private static double[] logarithms(double[] values) {
    return Arrays.stream(values).map(Math::log).toArray();
  }

  private static boolean areFinite(double[]... sides) {
    return Arrays.stream(sides).flatMapToDouble(Arrays::stream).allMatch(Double::isFinite);
  }

  /** New over old. */
  public double ratio() {
    return now / old;
  }

  /**
   * Whether the difference is significant.
   *
   * @param adjusted the p-value after the correction for all comparisons
   */
  public boolean isDifferent(double adjusted) {
    return adjusted < LEVEL;
  }

  /**
   * The smallest change, as a share, that is found with probability {@value #POWER} if this figure
   * alone of all changes; NaN without a test.
   *
   * @param figures the number of figures that are compared
   */
  public double findable(int figures) {
    if (Double.isNaN(error)) {
      return Double.NaN;
    }
    TDistribution t = new TDistribution(freedom);
    double reach =
        t.inverseCumulativeProbability(1 - LEVEL / figures / 2)
            + t.inverseCumulativeProbability(POWER);
    return Math.expm1(error * reach);
  }
}
