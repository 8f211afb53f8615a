// SPDX-License-Identifier: Apache-2.0
package org.mitosis.function;

import java.time.Duration;
import java.util.concurrent.TimeUnit;
import org.mitosis.QuietJvm;

/** A function whose code is compiled: called for a while, until the compiler has nothing to do. */
final class CompiledFunction {
  private static final long WARM_UP_NS = TimeUnit.SECONDS.toNanos(2);
  private static final int CALLS = 20_000;
  private static final Duration QUIET_DEADLINE = Duration.ofSeconds(5);

  private final String name;
  private final JavaFunction function;
  private final int calls;
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
    settle();
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

  /**
   * As {@link org.mitosis.Device#prepareWhenQuiet} does before it prepares. The deadline is no
   * failure: a child then compiles what its parent did not.
   */
  void settle() {
    try {
      QuietJvm.await(QUIET_DEADLINE);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }
}
