// SPDX-License-Identifier: Apache-2.0
package org.mitosis.function;

import java.util.concurrent.CountDownLatch;
import java.util.concurrent.locks.LockSupport;

/** The threads of a program that wait while one calls the function, as those of a server's pool. */
final class WaitingThreads {
  private WaitingThreads() {}

  /**
   * Starts them, and comes back once each has run. They wait for the rest of the JVM's life.
   *
   * @param count how many, 0 or greater
   */
  static void start(int count) {
    CountDownLatch waiting = new CountDownLatch(count);
    for (int i = 0; i < count; i++) {
      Thread thread =
          new Thread(
              () -> {
                waiting.countDown();
                while (true) {
                  LockSupport.park(waiting);
                }
              },
              "waiting-" + i);
      thread.setDaemon(true);
      try {
        thread.start();
      } catch (OutOfMemoryError e) {
        throw new IllegalStateException(
            "only " + i + " of " + count + " threads can be started: " + e.getMessage(), e);
      }
    }
    try {
      waiting.await();
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }
}
