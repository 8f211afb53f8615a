// SPDX-License-Identifier: Apache-2.0
package org.mitosis.stats;

import org.apache.commons.math3.distribution.BinomialDistribution;

/** What a number of simulated runs shows of a rate. */
public final class Evidence {
  private static final double ERROR = 0.05;

  private Evidence() {}

  /**
   * The most of the runs that may have a verdict, if this shows with a confidence of 95 % that
   * fewer than {@code rate} of all runs have one: the largest k for which a machine with exactly
   * that rate would give k or fewer in at most 5 % of such simulations (the one-sided bound of
   * Clopper and Pearson). It is less than {@code rate * runs}: of 400 runs and 5 %, 12 and not 20,
   * as 20 of 400 is what a rate of 7 % gives in one of 15.
   */
  public static int mostBelow(double rate, int runs) {
    BinomialDistribution atRate = new BinomialDistribution(null, runs, rate);
    int most = -1;
    while (atRate.cumulativeProbability(most + 1) <= ERROR) {
      most++;
    }
    return most;
  }
}
