// SPDX-License-Identifier: Apache-2.0
package org.mitosis.cluster;

import java.time.Duration;
import java.time.Instant;

/**
 * How a machine's clocks stand to this host's, from the exchange that took least of several: the
 * machine read its clock somewhere within that time.
 *
 * @param offsetNs what to add to CLOCK_MONOTONIC here to have the machine's
 * @param uncertaintyNs half of the fastest exchange: how far the offset may be off
 * @param wallSkewNs how far the machine's time of day is ahead of this host's
 */
record Clocks(long offsetNs, long uncertaintyNs, long wallSkewNs) {
  private static final int EXCHANGES = 25;
  private static final Duration DEADLINE = Duration.ofSeconds(30);

  /** Compares them. */
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

  /** A time of this host, as the machine's clock shows it. */
  long thereNs(long hereNs) {
    return hereNs + offsetNs;
  }

  /** A time of the machine's, as this host's clock shows it. */
  long hereNs(long thereNs) {
    return thereNs - offsetNs;
  }
}
