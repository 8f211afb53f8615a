// SPDX-License-Identifier: Apache-2.0
package org.mitosis.cluster;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.mitosis.fixture.ContainerKind;

class MeasurementTest {
  private static final long MS = 1_000_000;

  private static Measurement measurement() {
    return new Measurement(
        Target.PEAK_EMPTY_FORK, Point.ofContainer(ContainerKind.LEAN, 1, 1), line -> {});
  }

  /** A child every so many ms for a second, by the machine's own clock. */
  private static Task.Samples every(String loop, long startNs, long periodNs) {
    List<Long> ends = new ArrayList<>();
    List<Long> times = new ArrayList<>();
    for (long ns = periodNs; ns <= 1000 * MS; ns += periodNs) {
      ends.add(startNs + ns);
      times.add(periodNs);
    }
    return new Task.Samples(loop, startNs, 1, ends, Map.of("startup", times));
  }

  @Test
  void machinesAreAddedUpOverOneIntervalByOneClock() {
    Measurement measurement = measurement();
    measurement.add("a", new Clocks(0, 0, 0), every("x", 0, 10 * MS));
    measurement.add("b", new Clocks(7_000 * MS, 0, 0), every("y", 7_002 * MS, 5 * MS));
    Measurement.Peak peak = measurement.peak().orElseThrow();
    assertTrue(peak.stable());
    assertEquals(300, peak.perSecond(), 10);
    assertEquals(100, peak.byHost().get("a"), 5);
    assertEquals(200, peak.byHost().get("b"), 8);
    assertEquals(2 * MS, measurement.startSkewNs().orElseThrow());
    measurement.end();
    assertEquals(peak, measurement.peak().orElseThrow());
  }

  @Test
  void sampleMayStandForSeveralOperations() {
    Measurement measurement = measurement();
    Task.Samples one = every("x", 0, 10 * MS);
    measurement.add("a", new Clocks(0, 0, 0), new Task.Samples("x", 0, 100, one.endNs(), one.ns()));
    assertEquals(10_000, measurement.peak().orElseThrow().perSecond(), 500);
    assertEquals(100, measurement.samplesOf("a"));
  }

  @Test
  void nothingMeasuredIsNoPeak() {
    assertTrue(measurement().peak().isEmpty());
    assertTrue(measurement().startSkewNs().isEmpty());
    assertEquals("", measurement().latestOf("a"));
  }
}
