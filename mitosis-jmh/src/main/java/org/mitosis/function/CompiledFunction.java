// SPDX-License-Identifier: Apache-2.0
package org.mitosis.function;

import java.lang.management.CompilationMXBean;
import java.lang.management.ManagementFactory;
import java.util.concurrent.TimeUnit;

/** A function whose code is compiled: called for a while, until the compiler has nothing to do. */
final class CompiledFunction {
  private static final long WARM_UP_NS = TimeUnit.SECONDS.toNanos(2);
  private static final int CALLS = 20_000;
  private static final int CALLS_AFTER_COLLECTION = 20;
  private static final int QUIET_LOOKS = 3;
  private static final long LOOK_MS = 20;
  private static final int MOST_LOOKS = 250;

  private final String name;
  private final JavaFunction function;
  private final int calls;
  private final CompilationMXBean compiler = ManagementFactory.getCompilationMXBean();
  private final long coldNs;
  private final Object result;

  /** Makes it and warms it up. */
  CompiledFunction(String name, int calls) {
    this.name = name;
    this.calls = calls;
    long before = System.nanoTime();
    function = Catalogue.of(name);
    result = function.call();
    coldNs = System.nanoTime() - before;
    for (int i = 0; i < CALLS && System.nanoTime() - before < WARM_UP_NS; i++) {
      function.call();
    }
    awaitQuiet();
  }

  /** The time of its making and first call. */
  long coldNs() {
    return coldNs;
  }

  /** Calls it as often as a child does, and says how long that took. */
  long timeNs() {
    long before = System.nanoTime();
    if (!callsAreRight()) {
      throw new IllegalStateException("the function " + name + " gives another result each time");
    }
    return System.nanoTime() - before;
  }

  /** Calls it as often as a child does; whether the last result is the one before all others. */
  boolean callsAreRight() {
    Object last = null;
    for (int i = 0; i < calls; i++) {
      last = function.call();
    }
    return JavaFunction.same(result, last);
  }

  /** Throws garbage away, and lets the compiler finish what the harness's own code caused. */
  void settle() {
    System.gc();
    for (int i = 0; i < CALLS_AFTER_COLLECTION; i++) {
      function.call();
    }
    awaitQuiet();
  }

  /**
   * Waits until the time that the compiler took stands still. The deadline is no failure: a child
   * then compiles what its parent did not.
   */
  private void awaitQuiet() {
    if (compiler == null || !compiler.isCompilationTimeMonitoringSupported()) {
      return;
    }
    long last = -1;
    int quiet = 0;
    for (int looks = 0; looks < MOST_LOOKS && quiet < QUIET_LOOKS; looks++) {
      long now = compiler.getTotalCompilationTime();
      quiet = now == last ? quiet + 1 : 0;
      last = now;
      try {
        Thread.sleep(LOOK_MS);
      } catch (InterruptedException e) {
        Thread.currentThread().interrupt();
        return;
      }
    }
  }
}
