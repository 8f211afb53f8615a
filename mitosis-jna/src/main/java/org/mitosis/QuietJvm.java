// SPDX-License-Identifier: Apache-2.0
package org.mitosis;

import com.sun.management.HotSpotDiagnosticMXBean;
import com.sun.management.VMOption;
import java.lang.management.CompilationMXBean;
import java.lang.management.ManagementFactory;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import javax.management.JMException;
import javax.management.MBeanServer;
import javax.management.ObjectName;

/**
 * Brings a JVM to a state from which its children start fast: without garbage, without the pages of
 * free heap, and with a JIT compiler that has nothing to do.
 *
 * <p>If a snapshot is taken while methods wait for the compiler, every child compiles them, for
 * hundreds of milliseconds. A child allocates from free heap first: each page of it costs a fault
 * that copies the page from the snapshot, while memory that the heap has returned costs only a page
 * of zeros.
 *
 * <p>{@link Device#prepareWhenQuiet} calls it before it prepares. Call it directly to time a
 * prepare without this wait.
 */
public final class QuietJvm {
  private static final long STEP_MS = 20;

  /** How often in a row the compiler is seen idle. */
  private static final int IDLE_STEPS = 5;

  /** Of the heap after a collection, in percent. */
  private static final Map<String, String> SMALL_HEAP =
      Map.of("MinHeapFreeRatio", "0", "MaxHeapFreeRatio", "0");

  /** What the list of compilations says if there are none. */
  private static final Set<String> IDLE =
      Set.of("", "Current compiles:", "C1 compile queue:", "C2 compile queue:", "Empty");

  private QuietJvm() {}

  /**
   * Collects garbage, makes the heap return free memory, and waits until the JIT compiler is idle.
   *
   * @param deadline how long to wait for the compiler
   * @return what the compiler was busy with at the deadline; empty if it is idle
   * @throws InterruptedException if the thread was interrupted meanwhile
   */
  public static Optional<String> await(Duration deadline) throws InterruptedException {
    long startNs = System.nanoTime();
    collectIntoASmallHeap();
    CompilationMXBean compiler = ManagementFactory.getCompilationMXBean();
    if (compiler == null || !compiler.isCompilationTimeMonitoringSupported()) {
      return Optional.empty(); // -Xint
    }
    long firstMs = compiler.getTotalCompilationTime();
    long lastMs = firstMs;
    String busyWith = "";
    for (int idle = 0; idle < IDLE_STEPS; ) {
      if (System.nanoTime() - startNs > deadline.toNanos()) {
        return Optional.of(
            "it compiled for "
                + (lastMs - firstMs)
                + " ms"
                + (busyWith.isEmpty() ? "" : ", at last '" + busyWith + "'"));
      }
      Thread.sleep(STEP_MS);
      long nowMs = compiler.getTotalCompilationTime();
      String now = compilations();
      idle = nowMs == lastMs && now.isEmpty() ? idle + 1 : 0;
      busyWith = now.isEmpty() ? busyWith : now;
      lastMs = nowMs;
    }
    return Optional.empty();
  }

  /** With manageable options of HotSpot; a JVM without them only collects. */
  private static void collectIntoASmallHeap() {
    HotSpotDiagnosticMXBean options =
        ManagementFactory.getPlatformMXBean(HotSpotDiagnosticMXBean.class);
    Map<String, String> before = new TreeMap<>();
    try {
      // In this order: the smaller one must not be above the larger one.
      for (String name : List.of("MinHeapFreeRatio", "MaxHeapFreeRatio")) {
        String value = writable(options, name);
        if (value != null) {
          options.setVMOption(name, SMALL_HEAP.get(name));
          before.put(name, value);
        }
      }
      System.gc();
    } finally {
      for (String name : List.of("MaxHeapFreeRatio", "MinHeapFreeRatio")) {
        if (before.containsKey(name)) {
          options.setVMOption(name, before.get(name));
        }
      }
    }
  }

  /** The value of an option, or null if it cannot be set. */
  private static String writable(HotSpotDiagnosticMXBean options, String name) {
    if (options == null) {
      return null;
    }
    try {
      VMOption option = options.getVMOption(name);
      return option.isWriteable() ? option.getValue() : null;
    } catch (IllegalArgumentException e) {
      return null; // no such option
    }
  }

  /** The first compilation that runs or waits; empty if there is none, or it cannot be known. */
  private static String compilations() {
    MBeanServer server = ManagementFactory.getPlatformMBeanServer();
    try {
      Object queue =
          server.invoke(
              new ObjectName("com.sun.management:type=DiagnosticCommand"),
              "compilerQueue",
              new Object[0],
              new String[0]);
      return String.valueOf(queue)
          .lines()
          .map(String::strip)
          .filter(line -> !IDLE.contains(line))
          .findFirst()
          .orElse("");
    } catch (JMException e) {
      return ""; // not this JVM: the time of finished compilations has to do
    }
  }
}
