// SPDX-License-Identifier: Apache-2.0
package org.mitosis.stats;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.ArrayList;
import java.util.List;
import java.util.stream.LongStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class RateSearchTest {
  @ParameterizedTest
  @ValueSource(ints = {5, 60, 333, 700, 999, 1000})
  void findsTheBorderWithinATwentieth(int border) {
    RateSearch.Found found = RateSearch.highest(1, 1000, 20, (rate, step) -> rate <= border);
    assertTrue(found.rate() <= border, found::toString);
    assertTrue(found.rate() * 1.06 + 1 >= border, found::toString);
  }

  @Test
  void triesNoMoreOftenThanAllowedAndCounts() {
    List<Integer> steps = new ArrayList<>();
    RateSearch.Found found =
        RateSearch.highest(
            1,
            1_000_000,
            4,
            (rate, step) -> {
              steps.add(step);
              return false;
            });
    assertEquals(new RateSearch.Found(0, 4), found);
    assertEquals(List.of(1, 2, 3, 4), steps);
  }

  @Test
  void whereNothingHoldsTheLeastRateHasBeenTried() {
    List<Integer> rates = new ArrayList<>();
    RateSearch.Found found =
        RateSearch.highest(
            2,
            100,
            20,
            (rate, step) -> {
              rates.add(rate);
              return false;
            });
    assertEquals(0, found.rate());
    assertEquals(2, rates.get(rates.size() - 1), rates::toString);
  }

  @Test
  void aCapacityBelowTheLeastRateIsTriedOnce() {
    assertEquals(
        new RateSearch.Found(4, 1), RateSearch.highest(4, 0.5, 9, (rate, step) -> rate == 4));
  }

  @Test
  void p99IsOfTheWholeAndTheGreatestOfFew() {
    assertEquals(99, RateSearch.p99(LongStream.rangeClosed(1, 100).toArray()));
    assertEquals(198, RateSearch.p99(LongStream.rangeClosed(1, 200).toArray()));
    assertEquals(7, RateSearch.p99(new long[] {7, 1, 3}));
    assertThrows(IllegalArgumentException.class, () -> RateSearch.p99(new long[0]));
  }
}
