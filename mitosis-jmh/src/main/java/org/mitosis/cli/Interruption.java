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
 * <p>JMH treats the end of a fork as a failed benchmark and would start the next one. So its output
 * passes through here and blocks after an interruption: JMH prints between two forks.
 */
final class Interruption {
  private static final long GRACE_NS = TimeUnit.SECONDS.toNanos(2);
  private static final long POLL_MS = 20;

  private final Thread hook;
  private volatile boolean interrupted;

  private Interruption(Runnable keepResults) {
    hook =
        new Thread(
            () -> {
              interrupted = true;
              endDescendants();
              keepResults.run();
            },
            "mitosis-interruption");
  }

  /** Installs the shutdown hook. */
  static Interruption watch(Runnable keepResults) {
    Interruption interruption = new Interruption(keepResults);
    Runtime.getRuntime().addShutdownHook(interruption.hook);
    return interruption;
  }

  /** Removes the hook after the run has ended by itself. Does not return after an interruption. */
  void over() {
    try {
      Runtime.getRuntime().removeShutdownHook(hook);
    } catch (IllegalStateException e) {
      parkUntilExit();
    }
  }

  /** Does not return after an interruption. */
  void check() {
    if (interrupted) {
      parkUntilExit();
    }
  }

  /** JMH's output, which blocks after an interruption. */
  OutputFormat gate(OutputFormat output) {
    return (OutputFormat)
        Proxy.newProxyInstance(
            OutputFormat.class.getClassLoader(),
            new Class<?>[] {OutputFormat.class},
            (proxy, method, arguments) -> {
              check();
              try {
                return method.invoke(output, arguments);
              } catch (InvocationTargetException e) {
                throw e.getCause();
              }
            });
  }

  /** Parks this thread until the JVM exits. */
  private static void parkUntilExit() {
    while (true) {
      LockSupport.park();
    }
  }

  /** Sends SIGTERM, later SIGKILL; also to processes that start in between. */
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
