// SPDX-License-Identifier: Apache-2.0
package org.mitosis.stats;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import org.junit.jupiter.api.Test;

/** Expected values are worked out by hand; R's p.adjust has the same. */
class CorrectionTest {
  @Test
  void holmTakesTheNumberThatIsLeft() {
    assertArrayEquals(
        new double[] {0.03, 0.06, 0.06, 0.02},
        Correction.HOLM.adjust(0.01, 0.04, 0.03, 0.005),
        1e-12,
        "4 x 0.005, 3 x 0.01, 2 x 0.03, and the last is no less");
  }

  @Test
  void benjaminiAndHochbergTakeTheRank() {
    assertArrayEquals(
        new double[] {0.02, 0.04, 0.04, 0.02},
        Correction.BENJAMINI_HOCHBERG.adjust(0.01, 0.04, 0.03, 0.005),
        1e-12,
        "4/4 x 0.04, 4/3 x 0.03, 4/2 x 0.01, 4/1 x 0.005");
  }

  @Test
  void whatWasNotTestedDoesNotCount() {
    for (Correction correction : Correction.values()) {
      double[] adjusted = correction.adjust(Double.NaN, 0.04);
      assertTrue(Double.isNaN(adjusted[0]));
      assertEquals(0.04, adjusted[1]);
      assertEquals(0, correction.adjust().length);
      assertEquals(1, correction.adjust(0.9, 0.8)[0], 0.1001, "not above 1");
    }
  }
}
