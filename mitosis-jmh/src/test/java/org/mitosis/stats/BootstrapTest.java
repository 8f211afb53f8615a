// SPDX-License-Identifier: Apache-2.0
package org.mitosis.stats;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.Arrays;
import java.util.Optional;
import java.util.SplittableRandom;
import org.apache.commons.math3.stat.StatUtils;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class BootstrapTest {
  /**
   * Survival of seven treated mice: the bootstrap's standard error of their median is 37.83 (Efron
   * and Tibshirani, An Introduction to the Bootstrap, 1993, table 2.2, for B = ∞).
   */
  @Test
  void theMiceOfEfronAndTibshirani() {
    double[] medians = Bootstrap.medianResamples(new double[] {94, 197, 16, 38, 99, 141, 23});
    assertEquals(Bootstrap.RESAMPLES, medians.length);
    assertEquals(37.83, Math.sqrt(StatUtils.populationVariance(medians)), 1.5);
  }

  @Test
  void ofThreeProcessesAllResamplesAreTaken() {
    double[] medians = Bootstrap.medianResamples(new double[] {1, 2, 3});
    Arrays.sort(medians);
    // Of 27 resamples the median is the least in 7: three alike, or two alike and another.
    assertEquals(27, medians.length);
    assertEquals(7, Arrays.stream(medians).filter(median -> median == 1).count());
    assertEquals(13, Arrays.stream(medians).filter(median -> median == 2).count());
  }

  @Test
  void ofFewProcessesTheIntervalIsAllThatWasSeenAndSaysHowUnsureThatIs() {
    assertEquals(Optional.of(new Interval(10, 30, 0.75)), Bootstrap.median(20, 10, 30));
    assertEquals(
        Optional.of(new Interval(10, 50, 1 - 1 / 16.0)), Bootstrap.median(20, 10, 30, 40, 50));
  }

  @Test
  void belowThreeThereIsNone() {
    assertEquals(Optional.empty(), Bootstrap.median());
    assertEquals(Optional.empty(), Bootstrap.median(1, 2));
  }

  @Test
  void theSameSamplesGiveTheSameInterval() {
    double[] many = new SplittableRandom(3).doubles(20).toArray();
    assertEquals(Bootstrap.median(many), Bootstrap.median(many));
  }

  /** Of numpy and scipy: norm.cdf(-sqrt(n / (n - 1)) * t.ppf(0.975, n - 1)). */
  @Test
  void tailsAreThoseOfHesterberg() {
    assertEquals(0.00243, Bootstrap.tail(6), 5e-6);
    assertEquals(0.01588, Bootstrap.tail(20), 5e-6);
  }

  @ParameterizedTest
  @CsvSource({"3, 0.75", "4, 0.875", "5, 0.9375", "6, 0.95", "8, 0.95", "20, 0.95"})
  void intervalsHoldTheMedianAsOftenAsTheySay(int processes, double confidence) {
    SplittableRandom random = new SplittableRandom(4);
    int held = 0;
    for (int run = 0; run < 400; run++) {
      double[] exponential =
          random.doubles(processes).map(uniform -> -Math.log(1 - uniform)).toArray();
      Interval interval = Bootstrap.median(exponential).orElseThrow();
      assertEquals(confidence, interval.confidence());
      held += interval.contains(Math.log(2)) ? 1 : 0;
    }
    double standardError = Math.sqrt(confidence * (1 - confidence) / 400);
    assertTrue(held / 400.0 > confidence - 2 * standardError, held + " of 400");
  }
}
