// SPDX-License-Identifier: Apache-2.0
package org.mitosis.benchmark;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.util.List;
import org.junit.jupiter.api.Test;
import org.mitosis.fixture.LaunchLoop.Child;

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

  private static Child child(long intendedNs, long endNs) {
    return new Child(endNs - intendedNs, intendedNs, endNs);
  }
}
