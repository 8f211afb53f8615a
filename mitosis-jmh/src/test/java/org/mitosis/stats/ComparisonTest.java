// SPDX-License-Identifier: Apache-2.0
package org.mitosis.stats;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.Arrays;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;

class ComparisonTest {
  /** Hours of extra sleep (Student 1908), as R's t.test(extra ~ group, data = sleep) has them. */
  @Test
  void theSleepOfStudent() {
    double[] one = {0.7, -1.6, -0.2, -1.2, -0.1, 3.4, 3.7, 0.8, 0.0, 2.0};
    double[] two = {1.9, 0.8, 1.1, 0.1, -0.1, 4.4, 5.5, 1.6, 4.6, 3.4};
    Comparison comparison = Comparison.of(exponentials(one), exponentials(two));
    assertEquals(0.07939, comparison.pValue(), 5e-6);
    assertEquals(17.776, comparison.freedom(), 5e-4);
    Interval interval = comparison.interval().orElseThrow();
    assertEquals(-0.2054832, Math.log(interval.low()), 1e-5);
    assertEquals(3.3654832, Math.log(interval.high()), 1e-5);
    assertEquals(0.95, interval.confidence());
    assertFalse(comparison.isDifferent(comparison.pValue()));
  }

  @Test
  void fiveProcessesApartAreDifferent() {
    Comparison comparison = Comparison.of(around(5, 100), around(5, 120));
    assertEquals(1.2, comparison.ratio(), 0.01);
    assertEquals(1, comparison.delta());
    assertTrue(comparison.isDifferent(comparison.pValue()));
    assertFalse(comparison.interval().orElseThrow().contains(1));
  }

  @Test
  void aRatePerForkCanBeCalled() {
    double[] old = {5_000, 5_100, 4_950, 5_050, 5_020, 4_980};
    double[] tenth = Arrays.stream(old).map(rate -> rate / 10).toArray();
    Comparison comparison = Comparison.of(old, tenth);
    double hundredRows = comparison.pValue() * 100;
    assertTrue(comparison.isDifferent(hundredRows), "p " + comparison.pValue());
  }

  @Test
  void aSideWhoseMediansAreAllEqualIsCompared() {
    double[] old = {115, 114, 115, 115, 115};
    Comparison comparison = Comparison.of(old, new double[] {78.8, 78.8, 78.8, 78.8, 78.8});
    assertTrue(comparison.isDifferent(comparison.pValue()));
    assertEquals(78.8 / 115, comparison.ratio(), 1e-12);
  }

  @Test
  void processesThatOverlapAreNotDifferent() {
    Comparison comparison =
        Comparison.of(new double[] {100, 110, 120}, new double[] {105, 115, 125});
    assertFalse(comparison.isDifferent(comparison.pValue()));
    assertTrue(comparison.findable(1) > 0.2, "of three forks that differ by tenths");
  }

  @Test
  void oneProcessAndNoneHaveNothingToSay() {
    for (double[] few : new double[][] {{}, {1}}) {
      Comparison comparison = Comparison.of(few, around(3, 1));
      assertTrue(Double.isNaN(comparison.pValue()));
      assertTrue(Double.isNaN(comparison.findable(1)));
      assertTrue(comparison.interval().isEmpty());
      assertFalse(comparison.isDifferent(comparison.pValue()));
    }
  }

  @Test
  void mediansThatAreEqualToThreeDigitsAreNotKnownBetter() {
    Comparison comparison =
        Comparison.of(new double[] {1000, 1000, 1000}, new double[] {1000.5, 1000.5, 1000.5});
    assertFalse(comparison.isDifferent(comparison.pValue()));
  }

  @Test
  void aChangeOfTheFindableSizeIsFoundInNineOfTen() {
    SplittableRandom random = new SplittableRandom(8);
    double change = Comparison.of(noisy(random, 10, 1), noisy(random, 10, 1)).findable(1);
    double sum = 0;
    int found = 0;
    for (int run = 0; run < 1_000; run++) {
      Comparison comparison = Comparison.of(noisy(random, 10, 1), noisy(random, 10, 1.05));
      sum += comparison.findable(1);
      found += comparison.isDifferent(comparison.pValue()) ? 1 : 0;
    }
    assertTrue(change > 0.02 && change < 0.1, "" + change);
    assertEquals(0.05, sum / 1_000, 0.005, "the change is of the findable size on average");
    assertEquals(900, found, 40);
  }

  /** Processes with a deviation of 3.3 %. */
  private static double[] noisy(SplittableRandom random, int count, double level) {
    double[] processes = new double[count];
    Arrays.setAll(processes, i -> level * Math.exp(0.0328 * gaussian(random)));
    return processes;
  }

  private static double gaussian(SplittableRandom random) {
    return Math.sqrt(-2 * Math.log(1 - random.nextDouble()))
        * Math.cos(2 * Math.PI * random.nextDouble());
  }

  private static double[] around(int count, double level) {
    double[] processes = new double[count];
    Arrays.setAll(processes, i -> level + i * 0.1);
    return processes;
  }

  private static double[] exponentials(double[] values) {
    return Arrays.stream(values).map(Math::exp).toArray();
  }
}
