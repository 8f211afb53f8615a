// SPDX-License-Identifier: Apache-2.0
package org.mitosis.stats;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.OptionalInt;
import org.junit.jupiter.api.Test;

class ForkPlanTest {
  /** As power.t.test(delta = 1, sd = 1, power = 0.9) of R: n = 22.02 on each side. */
  @Test
  void oneDeviationTakesTwentyThreeOfEach() {
    double deviation = 0.05;
    assertEquals(OptionalInt.of(23), ForkPlan.forks(deviation, Math.expm1(deviation), 1));
  }

  @Test
  void moreNoiseAndMoreFiguresTakeMore() {
    int few = ForkPlan.forks(0.03, 0.05, 1).orElseThrow();
    assertTrue(ForkPlan.forks(0.06, 0.05, 1).orElseThrow() > 3 * few);
    assertTrue(ForkPlan.forks(0.03, 0.05, 100).orElseThrow() > few);
    assertEquals(OptionalInt.empty(), ForkPlan.forks(3, 0.001, 100));
    assertEquals(OptionalInt.of(2), ForkPlan.forks(0, 0.05, 100));
  }

  @Test
  void theDeviationIsAShare() {
    assertEquals(0.1, ForkPlan.deviation(Math.exp(1), Math.exp(1.1), Math.exp(0.9)), 1e-12);
  }
}
