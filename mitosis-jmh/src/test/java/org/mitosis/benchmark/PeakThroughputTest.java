// SPDX-License-Identifier: Apache-2.0
package org.mitosis.benchmark;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.List;
import org.junit.jupiter.api.Test;
import org.mitosis.fixture.LaunchLoop.Child;
import org.mitosis.setting.MissingPrerequisite;

class PeakThroughputTest {
  /** Due every 10 ns from 0, for 30 ns. */
  private static final long SCHEDULE_NS = 30;

  @Test
  void aChildThatStartsAfterTheScheduleIsLate() {
    // Each takes 20 ns, so the third begins at 40.
    List<Child> slow = List.of(child(0, 20), child(10, 40), child(20, 60));
    assertEquals(1, PeakThroughput.Done.late(slow, SCHEDULE_NS));
  }

  @Test
  void aChildThatStartsInTimeAndEndsAfterItIsNot() {
    List<Child> punctual = List.of(child(0, 9), child(10, 19), child(20, 500));
    assertEquals(0, PeakThroughput.Done.late(punctual, SCHEDULE_NS));
    assertEquals(0, PeakThroughput.Done.late(List.of(), SCHEDULE_NS));
  }

  @Test
  void aRateMayBeSearchedWithALimit() {
    PeakThroughput.WorkingSetLoad load = new PeakThroughput.WorkingSetLoad();
    load.rate = "search";
    assertTrue(load.isSearch());
    assertEquals(10, load.limitMs());
    assertEquals(0, load.rate());
    load.rate = "search:25";
    assertEquals(25, load.limitMs());
    load.rate = "500";
    assertFalse(load.isSearch());
    assertEquals(500, load.rate());
    load.rate = "search:soon";
    assertEquals(
        "the limit of rate=search:MS must be between 1 and 60000, got 'soon'",
        assertThrows(MissingPrerequisite.class, load::limitMs).getMessage());
    load.rate = "searching";
    assertEquals(
        "rate must be between 0 and 1000000, or search or search:MS, got 'searching'",
        assertThrows(MissingPrerequisite.class, load::rate).getMessage());
  }

  private static Child child(long intendedNs, long endNs) {
    return new Child(endNs - intendedNs, intendedNs, endNs);
  }
}
