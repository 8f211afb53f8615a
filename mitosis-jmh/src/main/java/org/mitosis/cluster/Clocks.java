// SPDX-License-Identifier: Apache-2.0
package org.mitosis.cluster;

import java.time.Duration;
import java.time.Instant;

/**
 * A machine's clocks compared with this host's, by the fastest of several exchanges: the machine
 * read its clock within that time.
 *
 * @param offsetNs CLOCK_MONOTONIC of the machine minus that of this host
 * @param uncertaintyNs half of the fastest exchange: the largest error of the offset
 * @param wallSkewNs time of day of the machine minus that of this host
 */
record Clocks(long offsetNs, long uncertaintyNs, long wallSkewNs) {
  private static final int EXCHANGES = 25;
  private static final Duration DEADLINE = Duration.ofSeconds(30);

  /** Compares the clocks. */
  static Clocks compare(AgentLink link) {
    Clocks best = null;
    for (int i = 0; i < EXCHANGES; i++) {
      long beforeNs = System.nanoTime();
      Task.ClockReading reading = link.get(new Task.ReadClock(), Task.ClockReading.class, DEADLINE);
      long afterNs = System.nanoTime();
      Instant now = Instant.now();
      long halfNs = (afterNs - beforeNs) / 2;
      if (best == null || halfNs < best.uncertaintyNs()) {
        long wallNs = now.getEpochSecond() * 1_000_000_000L + now.getNano();
        best =
            new Clocks(
                reading.monotonicNs() - (beforeNs + halfNs),
                halfNs,
                reading.realtimeNs() - (wallNs - halfNs));
      }
    }
    return best;
  }

  /** Converts a time of this host to the machine's clock. */
  long thereNs(long hereNs) {
    return hereNs + offsetNs;
  }

  /** Converts a time of the machine to this host's clock. */
  long hereNs(long thereNs) {
    return thereNs - offsetNs;
  }
}
