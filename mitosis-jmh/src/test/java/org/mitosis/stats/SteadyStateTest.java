// SPDX-License-Identifier: Apache-2.0
package org.mitosis.stats;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.util.Arrays;
import java.util.stream.DoubleStream;
import org.junit.jupiter.api.Test;
import org.mitosis.stats.SteadyState.Label;

class SteadyStateTest {
  @Test
  void theSameFromBeginningToEndIsFlat() {
    assertEquals(new SteadyState(Label.FLAT, 0), SteadyState.of(levels(40, 100)));
  }

  @Test
  void endingFasterIsWarmUp() {
    assertEquals(new SteadyState(Label.WARM_UP, 10), SteadyState.of(levels(10, 200, 30, 100)));
    assertEquals(
        new SteadyState(Label.WARM_UP, 20), SteadyState.of(levels(10, 300, 10, 200, 30, 100)));
  }

  @Test
  void endingSlowerIsSlowDown() {
    assertEquals(new SteadyState(Label.SLOW_DOWN, 10), SteadyState.of(levels(10, 100, 30, 200)));
    assertEquals(
        new SteadyState(Label.SLOW_DOWN, 20), SteadyState.of(levels(10, 300, 10, 100, 30, 200)));
  }

  @Test
  void endingWithAChangeIsNoSteadyState() {
    assertEquals(new SteadyState(Label.NONE, 0), SteadyState.of(levels(35, 100, 5, 200)));
  }

  @Test
  void levelsThatDifferByLittleAreOne() {
    assertEquals(new SteadyState(Label.FLAT, 0), SteadyState.of(levels(20, 1000, 20, 985)));
    assertEquals(
        new SteadyState(Label.WARM_UP, 10), SteadyState.of(levels(10, 2000, 15, 1000, 15, 985)));
  }

  @Test
  void ofAFewValuesNothingIsSaid() {
    assertEquals(new SteadyState(Label.TOO_SHORT, 0), SteadyState.of(9, 9, 9, 9, 1, 1, 1, 1, 1));
    assertEquals(new SteadyState(Label.TOO_SHORT, 0), SteadyState.of());
  }

  @Test
  void isToldInWords() {
    assertEquals("warm-up from 10", new SteadyState(Label.WARM_UP, 10).toString());
    assertEquals("none", new SteadyState(Label.NONE, 0).toString());
  }

  /** Pairs of a length and a level; around each level a sawtooth of three thousandths. */
  private static double[] levels(double... lengthsAndLevels) {
    DoubleStream all = DoubleStream.empty();
    for (int i = 0; i < lengthsAndLevels.length; i += 2) {
      double[] segment = new double[(int) lengthsAndLevels[i]];
      double level = lengthsAndLevels[i + 1];
      Arrays.setAll(segment, at -> level * (1 + (at % 4 - 1.5) / 1000));
      all = DoubleStream.concat(all, Arrays.stream(segment));
    }
    return all.toArray();
  }
}
