// SPDX-License-Identifier: Apache-2.0
package org.mitosis.result;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

class SelfTimedTest {
  @BeforeEach
  void forget() {
    SelfTimed.clear();
  }

  @Test
  void samplesAreTakenOnceAndByMetric() {
    SelfTimed.record("prepare", 100);
    SelfTimed.record("fork", 7);
    SelfTimed.record("prepare", 301);
    List<SelfTimed.Samples> taken = SelfTimed.take();
    assertEquals(List.of("fork", "prepare"), taken.stream().map(s -> s.metric()).toList());
    SelfTimed.Samples prepare = taken.get(1);
    assertEquals(200.5, prepare.meanNs());
    assertEquals(2, prepare.histogram().getTotalCount());
    assertEquals(301, prepare.histogram().getMaxValue());
    assertEquals(List.of(), SelfTimed.take(), "nothing is counted twice");
  }

  @Test
  void theMeanIsExactWhereTheHistogramIsNot() {
    SelfTimed.record("prepare", 1_000_001);
    SelfTimed.record("prepare", 1_000_002);
    assertEquals(1_000_001.5, SelfTimed.take().get(0).meanNs());
  }

  @Test
  void aLoopOfCallsIsOneSampleOfTheirMean() {
    SelfTimed.record("nil", 2_500, 10);
    SelfTimed.Samples nil = SelfTimed.take().get(0);
    assertEquals(250, nil.meanNs());
    assertEquals(1, nil.histogram().getTotalCount());
    assertEquals(250, nil.histogram().getMaxValue());
  }

  @Test
  void loopsOfDifferentLengthWeighByTheirCalls() {
    SelfTimed.record("nil", 100, 1);
    SelfTimed.record("nil", 200, 9);
    assertEquals(30, SelfTimed.take().get(0).meanNs());
  }

  @Test
  void whatCannotBeATimeIsRefused() {
    assertThrows(IllegalArgumentException.class, () -> SelfTimed.record("prepare", -1));
    assertThrows(IllegalArgumentException.class, () -> SelfTimed.record("prepare", 1, 0));
    assertThrows(
        IllegalArgumentException.class,
        () -> SelfTimed.record("prepare", SelfTimed.LONGEST_NS + 1));
    SelfTimed.record("prepare", SelfTimed.LONGEST_NS);
    SelfTimed.record("prepare", 0);
    assertEquals(2, SelfTimed.take().get(0).operations());
  }

  @Test
  void namesThatALogCannotHoldAreRefused() {
    for (String name : List.of("", "a,b", "a b", "a\nb", "1st", "prêt")) {
      assertThrows(IllegalArgumentException.class, () -> SelfTimed.record(name, 1), name);
    }
  }

  @Test
  void anIterationIsCutIntoAFewSlices() {
    SelfTimed.Metric metric = new SelfTimed.Metric("prepare");
    for (long ms = 0; ms < 10_000; ms += 10) {
      metric.add(ms, 1, 5_000_000_000L + ms * 1_000_000);
    }
    SelfTimed.Samples samples = metric.take();
    // Joined twice, at 3.2 and 6.4 s, so that a slice is 400 ms: 10 s are 25 of these.
    assertEquals(25, samples.slices().size());
    assertEquals(40, samples.slices().get(0).histogram().getTotalCount());
    assertEquals(1000, samples.histogram().getTotalCount());
    metric.add(1, 1, 0);
    metric.add(1, 1, 150_000_000);
    assertEquals(2, metric.take().slices().size(), "the next iteration begins anew");
  }

  @Test
  void noSampleOfAnyThreadIsLost() throws InterruptedException {
    List<Thread> threads = new ArrayList<>();
    for (int i = 0; i < 4; i++) {
      threads.add(
          new Thread(
              () -> {
                for (int n = 1; n <= 10_000; n++) {
                  SelfTimed.record("prepare", n);
                }
              }));
    }
    threads.forEach(Thread::start);
    long operations = 0;
    long totalNs = 0;
    do {
      for (SelfTimed.Samples samples : SelfTimed.take()) { // while they are recording
        operations += samples.operations();
        totalNs += samples.totalNs();
      }
    } while (threads.stream().anyMatch(Thread::isAlive));
    for (Thread thread : threads) {
      thread.join(10_000);
    }
    for (SelfTimed.Samples samples : SelfTimed.take()) {
      operations += samples.operations();
      totalNs += samples.totalNs();
    }
    assertEquals(40_000, operations);
    assertEquals(4L * 10_000 * 10_001 / 2, totalNs);
  }

  @Test
  void figuresThatAreNoTimesKeepTheirUnitAndGiveTheirMean() {
    SelfTimed.clear();
    SelfTimed.value("peak", 300, "ops/s");
    SelfTimed.value("peak", 100, "ops/s");
    SelfTimed.value("stable", 1, "share");
    List<SelfTimed.Values> taken = SelfTimed.takeValues();
    assertEquals(List.of("peak", "stable"), taken.stream().map(SelfTimed.Values::metric).toList());
    assertEquals(200, taken.get(0).mean());
    assertEquals("ops/s", taken.get(0).unit());
    assertEquals(List.of(), SelfTimed.takeValues());
    assertThrows(IllegalArgumentException.class, () -> SelfTimed.value("no name", 1, "s"));
  }
}
