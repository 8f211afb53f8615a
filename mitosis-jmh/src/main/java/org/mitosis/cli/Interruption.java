// SPDX-License-Identifier: Apache-2.0
package org.mitosis.cli;

import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Proxy;
import java.util.LinkedHashSet;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import org.openjdk.jmh.runner.format.OutputFormat;

/**
 * Handles the end of a run from outside (Ctrl-C, SIGTERM): every process that the run has started
 * is ended, then the given action keeps the results so far.
 *
 * <p>JMH takes the death of a fork for a failed benchmark and would start the next one. So its
 * output passes through here and blocks from the interruption on: JMH prints between two forks.
 */
final class Interruption {
  private static final long GRACE_NS = TimeUnit.SECONDS.toNanos(2);
  private static final long POLL_MS = 20;

  private final Thread hook;
  private volatile boolean interrupted;

  private Interruption(Runnable keepWhatThereIs) {
    hook =
        new Thread(
            () -> {
              interrupted = true;
              endDescendants();
              keepWhatThereIs.run();
            },
            "mitosis-interruption");
  }

  /** Starts to watch. */
  static Interruption watch(Runnable keepWhatThereIs) {
    Interruption interruption = new Interruption(keepWhatThereIs);
    Runtime.getRuntime().addShutdownHook(interruption.hook);
    return interruption;
  }

  /** Stops watching after the run has ended by itself. Does not return after an interruption. */
  void over() {
    try {
      Runtime.getRuntime().removeShutdownHook(hook);
    } catch (IllegalStateException e) {
      standStill();
    }
  }

  /** JMH's output, which blocks after an interruption. */
  OutputFormat gate(OutputFormat output) {
    return (OutputFormat)
        Proxy.newProxyInstance(
            OutputFormat.class.getClassLoader(),
            new Class<?>[] {OutputFormat.class},
            (proxy, method, arguments) -> {
              if (interrupted) {
                standStill();
              }
              try {
                return method.invoke(output, arguments);
              } catch (InvocationTargetException e) {
                throw e.getCause();
              }
            });
  }

  /** The virtual machine ends while this thread waits. */
  private static void standStill() {
    while (true) {
      LockSupport.park();
    }
  }

  /** Sends SIGTERM, later SIGKILL; finds processes that start in between, too. */
  private static void endDescendants() {
    long startNs = System.nanoTime();
    Set<ProcessHandle> asked = new LinkedHashSet<>();
    while (System.nanoTime() - startNs < 2 * GRACE_NS) {
      ProcessHandle.current().descendants().filter(asked::add).forEach(ProcessHandle::destroy);
      if (asked.stream().noneMatch(ProcessHandle::isAlive)) {
        return;
      }
      if (System.nanoTime() - startNs > GRACE_NS) {
        asked.forEach(ProcessHandle::destroyForcibly);
      }
      LockSupport.parkNanos(TimeUnit.MILLISECONDS.toNanos(POLL_MS));
    }
  }
}
