// SPDX-License-Identifier: Apache-2.0
package org.mitosis.stats;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;

import org.junit.jupiter.api.Test;

/** Expected values are worked out by hand. */
class HolmTest {
  /** The usual example: 0.005 * 4, 0.01 * 3, 0.03 * 2, and 0.04, which must not be less. */
  @Test
  void theSmallestIsMultipliedByAllTheNextByOneLess() {
    assertArrayEquals(
        new double[] {0.03, 0.06, 0.06, 0.02}, Holm.adjust(0.01, 0.04, 0.03, 0.005), 1e-12);
  }

  @Test
  void aLargeOneBesideDoesNotChangeTheOrder() {
    assertArrayEquals(
        new double[] {0.04, 0.09, 0.09, 0.025, 0.5},
        Holm.adjust(0.01, 0.04, 0.03, 0.005, 0.5),
        1e-12);
  }

  @Test
  void nothingIsMoreThanCertain() {
    assertArrayEquals(new double[] {1, 1}, Holm.adjust(0.7, 0.9));
  }

  @Test
  void whatHasNoAnswerIsNoQuestion() {
    assertArrayEquals(
        new double[] {0.02, Double.NaN, 0.03}, Holm.adjust(0.01, Double.NaN, 0.03), 1e-12);
    assertArrayEquals(new double[0], Holm.adjust());
  }
}
