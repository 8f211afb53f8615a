// SPDX-License-Identifier: Apache-2.0
package org.mitosis.stats;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;

class ComparisonTest {
  /**
   * Permeability of membranes (Hollander and Wolfe 1973, p. 69): U = 35, two-sided p = 0.2544, as
   * R's wilcox.test has it in its example.
   */
  @Test
  void theMembranesOfHollanderAndWolfe() {
    double[] term = {0.80, 0.83, 1.89, 1.04, 1.45, 1.38, 1.91, 1.64, 0.73, 1.46};
    double[] early = {1.15, 0.88, 0.90, 0.74, 1.21};
    Comparison comparison = Comparison.of(List.of(early), List.of(term));
    assertEquals(0.2544, comparison.pValue(), 5e-5);
    assertEquals((35 - 15) / 50.0, comparison.delta(), 1e-12);
    assertEquals(1.415 / 0.90, comparison.ratio(), 1e-12);
    assertTrue(comparison.interval().isEmpty(), "one process a side");
  }

  /** As scipy.stats.mannwhitneyu has it, the exact one and, with ties, the corrected normal one. */
  @Test
  void smallSetsWithAndWithoutTies() {
    double[] old = {12.1, 11.8, 12.5, 12.0, 11.9, 12.3, 12.15};
    double[] now = {12.6, 12.4, 12.9, 12.2, 13.0, 12.8};
    Comparison exact = Comparison.of(List.of(old), List.of(now));
    assertEquals(0.008158508158508158, exact.pValue(), 1e-12);
    assertEquals(36 / 42.0, exact.delta(), 1e-12);
    old[6] = 12.2;
    Comparison tied = Comparison.of(List.of(old), List.of(now));
    assertEquals(0.015019261874626436, tied.pValue(), 1e-12);
    assertEquals(35 / 42.0, tied.delta(), 1e-12);
  }

  @Test
  void fiveProcessesApartAreDifferent() {
    Comparison comparison = Comparison.of(processes(5, 100), processes(5, 120));
    assertEquals(1.2, comparison.ratio(), 0.01);
    assertEquals(1, comparison.delta());
    assertTrue(comparison.isDifferent(comparison.pValue()));
    assertFalse(comparison.isDifferent(0.05), "whatever the correction leaves of it");
  }

  @Test
  void manySamplesOfProcessesThatOverlapAreNotDifferent() {
    // Each process keeps to its own level, and the levels of the two sides are the same ones.
    List<double[]> old = List.of(around(100), around(110), around(120));
    List<double[]> now = List.of(around(105), around(115), around(125));
    Comparison comparison = Comparison.of(old, now);
    assertTrue(comparison.pValue() < 0.001, "that is what samples of one process are worth");
    assertFalse(comparison.isDifferent(comparison.pValue()));
  }

  @Test
  void withoutSamplesThereIsNothingToSay() {
    Comparison comparison = Comparison.of(List.of(), processes(3, 1));
    assertTrue(Double.isNaN(comparison.pValue()));
    assertTrue(Double.isNaN(comparison.ratio()));
    assertFalse(comparison.isDifferent(comparison.pValue()));
  }

  @Test
  void likeRunsAreHardlyEverDifferent() {
    SplittableRandom random = new SplittableRandom(6);
    int different = 0;
    for (int run = 0; run < 300; run++) {
      Comparison comparison = Comparison.of(noisy(random, 6), noisy(random, 6));
      different += comparison.isDifferent(comparison.pValue()) ? 1 : 0;
    }
    assertTrue(different <= 9, different + " of 300");
  }

  /** Processes of which each is off by up to 10 %, and each sample of it by up to 3 %. */
  private static List<double[]> noisy(SplittableRandom random, int count) {
    List<double[]> processes = new ArrayList<>();
    for (int i = 0; i < count; i++) {
      double level = random.nextDouble(90, 110);
      processes.add(random.doubles(10, level * 0.97, level * 1.03).toArray());
    }
    return processes;
  }

  private static List<double[]> processes(int count, double level) {
    List<double[]> processes = new ArrayList<>();
    for (int i = 0; i < count; i++) {
      processes.add(around(level + i * 0.1));
    }
    return processes;
  }

  private static double[] around(double level) {
    double[] samples = new double[41];
    for (int i = 0; i < samples.length; i++) {
      samples[i] = level + (i - 20) * 0.01;
    }
    return samples;
  }
}
