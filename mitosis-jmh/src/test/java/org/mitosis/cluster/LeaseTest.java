// SPDX-License-Identifier: Apache-2.0
package org.mitosis.cluster;

import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.time.Duration;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.Test;

class LeaseTest {
  /** {@link System#nanoTime} may overflow while a lease lasts. */
  private final AtomicLong nowNs = new AtomicLong(Long.MAX_VALUE - 1_000_000_000L);

  private final Lease lease = new Lease(Duration.ofSeconds(10), nowNs::get);

  @Test
  void expiresAfterItsLength() {
    assertFalse(lease.isExpired());
    nowNs.addAndGet(9_999_999_999L);
    assertFalse(lease.isExpired());
    nowNs.addAndGet(1);
    assertTrue(lease.isExpired());
  }

  @Test
  void startsAgainWhenRenewed() {
    nowNs.addAndGet(9_000_000_000L);
    lease.renew();
    nowNs.addAndGet(9_999_999_999L);
    assertFalse(lease.isExpired());
    nowNs.addAndGet(1);
    assertTrue(lease.isExpired());
  }
}
