// SPDX-License-Identifier: Apache-2.0
package org.mitosis.stats;

import java.util.Arrays;
import java.util.Optional;
import java.util.SplittableRandom;
import org.apache.commons.math3.distribution.NormalDistribution;
import org.apache.commons.math3.distribution.TDistribution;

/**
 * Confidence intervals by resampling (bootstrap; Efron 1979) with the process as the sampling unit:
 * addresses and compilation differ between processes and are the same for all samples of one
 * process, so that more samples of it do not narrow the interval (Kalibera and Jones: Rigorous
 * benchmarking in reasonable time, ISMM 2013). Each process counts with its median.
 *
 * <p>The ends are expanded percentiles (Hesterberg: What teachers should know about the bootstrap,
 * 2015): resamples scatter less than samples, and the plain percentiles of six to ten processes
 * contain the median in only 92 to 94 of 100 cases.
 *
 * <p>There is none below {@value #FEWEST} processes. With few processes the confidence is below
 * {@link #CONFIDENCE}: the true median lies outside of all samples with probability 2^(1-n), which
 * is one in four for three. {@link Interval#confidence} has the confidence.
 *
 * <p>The same samples give the same interval: if there are at most {@value #RESAMPLES} resamples,
 * all are used; else as many are drawn with a fixed seed.
 */
public final class Bootstrap {
  /** The nominal confidence. */
  public static final double CONFIDENCE = 0.95;

  /** The fewest processes for an interval. */
  public static final int FEWEST = 3;

  static final int RESAMPLES = 5_000;

  private static final long SEED = 0x6d69746f736973L;

  private Bootstrap() {}

  /**
   * The interval of the median.
   *
   * @param medians one for each process
   */
  public static Optional<Interval> median(double... medians) {
    if (medians.length < FEWEST) {
      return Optional.empty();
    }
    double attainable = 1 - Math.pow(2, 1 - medians.length);
    return Optional.of(
        interval(medianResamples(medians), medians.length, Math.min(CONFIDENCE, attainable)));
  }

  /** Medians of all resamples, or of a random choice of them. */
  static double[] medianResamples(double[] samples) {
    int n = samples.length;
    double all = Math.pow(n, n);
    boolean exhaustive = all <= RESAMPLES;
    double[] medians = new double[exhaustive ? (int) all : RESAMPLES];
    SplittableRandom random = new SplittableRandom(SEED);
    double[] drawn = new double[n];
    for (int resample = 0; resample < medians.length; resample++) {
      int digits = resample;
      for (int i = 0; i < n; i++) {
        drawn[i] = samples[exhaustive ? digits % n : random.nextInt(n)];
        digits /= n;
      }
      Arrays.sort(drawn);
      medians[resample] = (drawn[(n - 1) / 2] + drawn[n / 2]) / 2;
    }
    return medians;
  }

  private static Interval interval(double[] resamples, int processes, double confidence) {
    Arrays.sort(resamples);
    int tail = (int) Math.floor(tail(processes) * resamples.length);
    return new Interval(resamples[tail], resamples[resamples.length - 1 - tail], confidence);
  }

  /** The share of resamples on each side of the interval. */
  static double tail(int processes) {
    double t =
        new TDistribution(processes - 1.0).inverseCumulativeProbability((1 + CONFIDENCE) / 2);
    double wider = Math.sqrt(processes / (processes - 1.0));
    return new NormalDistribution().cumulativeProbability(-wider * t);
  }
}
