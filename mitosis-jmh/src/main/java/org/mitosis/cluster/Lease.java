// SPDX-License-Identifier: Apache-2.0
package org.mitosis.cluster;

import java.time.Duration;
import java.util.function.LongSupplier;

/**
 * The time for which one end of a channel waits for a message of the other end. One thread renews
 * it with each message, another one checks it.
 */
final class Lease {
  private final Duration length;
  private final LongSupplier clock;
  private volatile long renewedNs;

  /**
   * A lease that starts now.
   *
   * @param clock in ns, such as {@link System#nanoTime}
   */
  Lease(Duration length, LongSupplier clock) {
    this.length = length;
    this.clock = clock;
    renew();
  }

  Duration length() {
    return length;
  }

  /** Starts the lease again. */
  void renew() {
    renewedNs = clock.getAsLong();
  }

  /** Whether its length has passed since it was renewed. */
  boolean isExpired() {
    return clock.getAsLong() - renewedNs >= length.toNanos();
  }
}
