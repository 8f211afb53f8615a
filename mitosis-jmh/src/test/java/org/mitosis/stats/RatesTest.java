// SPDX-License-Identifier: Apache-2.0
package org.mitosis.stats;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;

/** Expected values are worked out by hand. */
class RatesTest {
  private static final long S = 1_000_000_000;

  /** A queue that grows: 100 events a second all the time, each later by a tenth than the last. */
  @Test
  void aStableRateOfAQueueThatGrowsIsNotStable() {
    List<Long> times = new ArrayList<>();
    List<Long> growing = new ArrayList<>();
    List<Long> flat = new ArrayList<>();
    for (long i = 0; i < 1_000; i++) {
      times.add(i * 10_000_000);
      growing.add(1_000 + i * 100);
      flat.add(1_000L + i % 7);
    }
    Rates rates = Rates.of(times, 0, 10_000_000_000L, 20);
    assertEquals(
        new Rates.Span(0, 10_000_000_000L), rates.stable(0.1, 5, times, flat).orElseThrow());
    assertTrue(rates.stable(0.1, 5).isPresent());
    assertTrue(rates.stable(0.1, 5, times, growing).isEmpty());
  }

  @Test
  void countsWhatIsInside() {
    // Two intervals of 2 s: [10 s, 12 s) has 10 and 11.9 s, [12 s, 14 s) has 12, 13, 13.9 s.
    Rates rates =
        Rates.of(
            List.of(139 * S / 10, 10 * S, 12 * S, 119 * S / 10, 13 * S, 14 * S, 10 * S - 1, 20 * S),
            10 * S,
            14 * S,
            2);
    assertEquals(new Rates(10 * S, 2 * S, List.of(1.0, 1.5)), rates);
  }

  @Test
  void whatDoesNotDivideIsCutOff() {
    Rates rates = Rates.of(List.of(9L, 10L), 0, 10, 3);
    assertEquals(3, rates.intervalNs());
    assertEquals(List.of(0.0, 0.0, 0.0), rates.perSecond());
  }

  @Test
  void tooShortATimeIsRefused() {
    assertThrows(IllegalArgumentException.class, () -> Rates.of(List.of(1L), 0, 2, 3));
  }

  @Test
  void findsTheMiddleOfARunThatRampsUpAndDown() {
    // Median of 90 to 95 is 100, and 90 is a tenth away from it; 50 and 40 are further.
    assertEquals(Optional.of(new Rates.Span(1 * S, 6 * S)), stable(50, 90, 100, 105, 95, 100, 40));
  }

  @Test
  void oneBadIntervalSplitsARun() {
    // Before the dip 3 are alike, after it 4: the longer part is taken.
    assertEquals(
        Optional.of(new Rates.Span(4 * S, 8 * S)), stable(100, 100, 100, 10, 100, 101, 99, 100));
  }

  @Test
  void ofTwoPartsOfOneLengthTheFirstIsTaken() {
    assertEquals(Optional.of(new Rates.Span(0, 3 * S)), stable(100, 100, 100, 10, 200, 200, 200));
  }

  @Test
  void aSteadyRunIsStableFromEndToEnd() {
    assertEquals(Optional.of(new Rates.Span(0, 4 * S)), stable(7, 7, 7, 7));
  }

  @Test
  void aRunThatNeverSettlesHasNoStableInterval() {
    assertEquals(Optional.empty(), stable(100, 150, 100, 150, 100, 150));
    assertEquals(Optional.empty(), stable(10, 20, 40, 80, 160));
    assertEquals(Optional.empty(), stable(100, 100), "too short");
  }

  @Test
  void nothingAtAllIsNotStable() {
    assertEquals(Optional.empty(), stable(0, 0, 0, 0));
  }

  @Test
  void aSpanKnowsWhatIsInItAndHowOftenPerSecond() {
    Rates.Span span = new Rates.Span(2 * S, 6 * S);
    assertTrue(span.contains(2 * S));
    assertFalse(span.contains(6 * S));
    // 2, 3 and 5 s of 4 s.
    assertEquals(0.75, span.perSecond(List.of(S, 2 * S, 3 * S, 5 * S, 6 * S)));
  }

  private static Optional<Rates.Span> stable(double... perSecond) {
    return new Rates(0, S, Arrays.stream(perSecond).boxed().toList()).stable(0.1, 3);
  }
}
