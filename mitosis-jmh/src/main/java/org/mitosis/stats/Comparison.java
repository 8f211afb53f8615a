// SPDX-License-Identifier: Apache-2.0
package org.mitosis.stats;

import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import org.apache.commons.statistics.inference.MannWhitneyUTest;

/**
 * Compares two sets of samples of one figure.
 *
 * @param old median over the old processes, in the unit of the samples
 * @param now median over the new ones
 * @param interval of the ratio new / old with the process as the sampling unit; empty if either
 *     side has too few
 * @param pValue of the Mann-Whitney U test on the samples of all processes, before any correction;
 *     exact for small sets without ties; NaN if a side has no samples
 * @param delta Cliff's delta of the same samples: above 0 if the new ones are larger
 * @param samples the smaller side's count
 */
public record Comparison(
    double old, double now, Optional<Interval> interval, double pValue, double delta, int samples) {

  /** The significance level of adjusted p-values. */
  public static final double LEVEL = 0.05;

  /**
   * Compares two sets.
   *
   * @param old one array for each process, in no particular order
   * @param now one array for each process
   */
  public static Comparison of(List<double[]> old, List<double[]> now) {
    double[] oldMedians = medians(old);
    double[] nowMedians = medians(now);
    double[] oldSamples = joined(old);
    double[] nowSamples = joined(now);
    boolean none = oldSamples.length == 0 || nowSamples.length == 0;
    return new Comparison(
        Summary.of(oldMedians).median(),
        Summary.of(nowMedians).median(),
        Bootstrap.ratio(oldMedians, nowMedians),
        none
            ? Double.NaN
            : MannWhitneyUTest.withDefaults().test(oldSamples, nowSamples).getPValue(),
        none ? Double.NaN : CliffsDelta.of(oldSamples, nowSamples),
        Math.min(oldSamples.length, nowSamples.length));
  }

  /** New over old. */
  public double ratio() {
    return now / old;
  }

  /**
   * Whether the difference is significant by both the corrected test and the interval, which takes
   * into account that samples of one process are not independent. If processes differ much more
   * than their samples, the p-value has no meaning and the interval alone decides: with six
   * processes on each side it is wrong for one figure in a hundred.
   *
   * @param adjusted the p-value after the correction for all comparisons of the sweep
   */
  public boolean isDifferent(double adjusted) {
    return adjusted < LEVEL && interval.isPresent() && !interval.get().contains(1);
  }

  private static double[] medians(List<double[]> processes) {
    return processes.stream()
        .filter(samples -> samples.length > 0)
        .mapToDouble(samples -> Summary.of(samples).median())
        .toArray();
  }

  private static double[] joined(List<double[]> processes) {
    return processes.stream().flatMapToDouble(Arrays::stream).toArray();
  }
}
