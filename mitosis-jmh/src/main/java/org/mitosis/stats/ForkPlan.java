// SPDX-License-Identifier: Apache-2.0
package org.mitosis.stats;

import java.util.Arrays;
import java.util.Optional;
import java.util.OptionalInt;
import org.apache.commons.math3.stat.StatUtils;

/** How many processes a comparison needs, from the noise between those of one run. */
public final class ForkPlan {
  /** More than this is not a plan. */
  public static final int MOST = 10_000;

  private ForkPlan() {}

  /**
   * Standard deviation between processes, as a share of the figure.
   *
   * @param medians one for each process, at least two, above 0
   */
  public static double deviation(double... medians) {
    return Math.sqrt(StatUtils.variance(Arrays.stream(medians).map(Math::log).toArray()));
  }

  /**
   * The least number of processes of each run with which a change of one figure alone is found with
   * probability {@link Comparison#POWER}; empty above {@value #MOST}.
   *
   * @param deviation between processes, as a share
   * @param effect the change as a share, above 0
   * @param figures the number of figures that are compared
   */
  public static OptionalInt forks(double deviation, double effect, int figures) {
    int low = Comparison.FEWEST;
    int high = MOST;
    if (findable(deviation, high, figures) > effect) {
      return OptionalInt.empty();
    }
    while (low < high) {
      int middle = (low + high) / 2;
      if (findable(deviation, middle, figures) <= effect) {
        high = middle;
      } else {
        low = middle + 1;
      }
    }
    return OptionalInt.of(low);
  }

  private static double findable(double deviation, int forks, int figures) {
    return new Comparison(
            1, 1, Optional.empty(), 1, 0, deviation * Math.sqrt(2.0 / forks), 2.0 * forks - 2)
        .findable(figures);
  }
}
