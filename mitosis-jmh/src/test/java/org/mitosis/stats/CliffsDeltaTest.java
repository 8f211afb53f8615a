// SPDX-License-Identifier: Apache-2.0
package org.mitosis.stats;

import static org.junit.jupiter.api.Assertions.assertEquals;

import org.junit.jupiter.api.Test;

class CliffsDeltaTest {
  /** The example of R's package effsize: -0.25, small. */
  @Test
  void theExampleOfEffsize() {
    double[] treatment = {10, 10, 20, 20, 20, 30, 30, 30, 40, 50};
    double[] control = {10, 20, 30, 40, 40, 50};
    assertEquals(-0.25, CliffsDelta.of(control, treatment));
    assertEquals("small", CliffsDelta.magnitude(-0.25));
  }

  @Test
  void isOneIfAllAreLargerAndZeroIfAllAreAlike() {
    assertEquals(1, CliffsDelta.of(new double[] {1, 2}, new double[] {3, 4, 5}));
    assertEquals(-1, CliffsDelta.of(new double[] {3, 4, 5}, new double[] {1, 2}));
    assertEquals(0, CliffsDelta.of(new double[] {7, 7}, new double[] {7, 7, 7}));
  }

  @Test
  void sizesHaveTheUsualWords() {
    assertEquals("negligible", CliffsDelta.magnitude(0.146));
    assertEquals("medium", CliffsDelta.magnitude(-0.33));
    assertEquals("large", CliffsDelta.magnitude(0.474));
  }
}
