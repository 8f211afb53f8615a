// SPDX-License-Identifier: Apache-2.0
package org.mitosis.result;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.List;
import org.junit.jupiter.api.Test;

class CountersTest {
  private static final Counters NOTHING = new Counters(0L, 0L, 0L, 0L, 0L, 0L);

  @Test
  void stealIsAShareOfAllCpus() {
    Counters.Lost steal = steal(300, 1000, 4);
    assertEquals(7.5, steal.percent(), 1e-9);
    assertTrue(steal.disturbs());
  }

  @Test
  void oneTickInAShortIterationIsNotStealOfIt() {
    assertEquals(0, steal(10, 5, 1).percent());
    assertEquals(100, steal(20, 5, 1).percent(), "no share is above 100 %");
  }

  @Test
  void timesAreSharesOfTheIteration() {
    List<Counters.Lost> lost =
        new Counters(0L, 100_000L, 20_000L, 10_000L, 500_000L, 0L).since(NOTHING, 1000, 2);
    assertEquals(
        List.of("steal", "cpuPressure", "memoryPressure", "ioPressure", "throttled", "hot"),
        lost.stream().map(Counters.Lost::what).toList());
    assertEquals(
        List.of(0.0, 10.0, 2.0, 1.0, 50.0, 0.0),
        lost.stream().map(Counters.Lost::percent).toList());
    assertEquals(
        List.of(false, false, true, false, true, false),
        lost.stream().map(Counters.Lost::disturbs).toList());
  }

  @Test
  void anyHeatDisturbs() {
    Counters hot = new Counters(null, null, null, null, null, 3L);
    List<Counters.Lost> lost = hot.since(new Counters(null, null, null, null, null, 2L), 10, 1);
    assertEquals(1, lost.size());
    assertTrue(lost.get(0).disturbs());
  }

  @Test
  void whatIsUnknownOnOneSideIsNotTold() {
    Counters unknown = new Counters(null, null, null, null, null, null);
    assertEquals(List.of(), NOTHING.since(unknown, 1000, 1));
    assertEquals(List.of(), unknown.since(NOTHING, 1000, 1));
  }

  @Test
  void aCounterThatGoesBackIsNoLoss() {
    assertEquals(0, NOTHING.since(new Counters(90L, 0L, 0L, 0L, 0L, 0L), 1000, 1).get(0).percent());
  }

  @Test
  void anotherMetricHasNoLimit() {
    assertFalse(1e9 > Counters.limit("peak.machine1"));
  }

  private static Counters.Lost steal(long ms, double ofMs, int cpus) {
    return new Counters(ms, null, null, null, null, null).since(NOTHING, ofMs, cpus).get(0);
  }
}
