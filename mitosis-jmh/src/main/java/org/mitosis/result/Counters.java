// SPDX-License-Identifier: Apache-2.0
package org.mitosis.result;

import java.util.ArrayList;
import java.util.List;

/**
 * What the kernel has counted since boot of time that programs could not use. The difference of two
 * readings is what an iteration, or a run, has lost.
 *
 * <p>A value that could not be read is null.
 *
 * @param stealMs time of all CPUs that the host gave to others, in steps of 10 ms
 * @param cpuPressureUs time in which a task waited for a CPU
 * @param memoryPressureUs time in which a task waited for memory
 * @param ioPressureUs time in which a task waited for a disk
 * @param throttledUs time for which this control group was stopped by its limit on CPU time
 * @param thermalThrottles how often a core was slowed down because it was hot
 */
public record Counters(
    Long stealMs,
    Long cpuPressureUs,
    Long memoryPressureUs,
    Long ioPressureUs,
    Long throttledUs,
    Long thermalThrottles) {

  /** The begin of the names of the metrics that {@link Lost} makes. */
  static final String PREFIX = "machine.";

  /** The kernel counts steal in ticks of this length; a part of an iteration may be one of them. */
  private static final long TICK_MS = 10;

  private static final long US_PER_MS = 1_000;

  /**
   * What was lost in a time.
   *
   * @param what its name, such as {@code steal}
   * @param percent as a share of that time, in %
   * @param limit from how many % on times are no longer those of a quiet machine
   */
  record Lost(String what, double percent, double limit) {
    /** The name of the metric that holds it. */
    String metric() {
      return PREFIX + what;
    }

    boolean disturbs() {
      return percent > limit;
    }
  }

  /** From how many % on a loss disturbs; above all for one that is not known. */
  static double limit(String metric) {
    return switch (metric) {
      case PREFIX + "steal", PREFIX + "memoryPressure", PREFIX + "throttled" -> 1;
      case PREFIX + "ioPressure" -> 5;
      // The processes of one benchmark wait for each other's CPU, too.
      case PREFIX + "cpuPressure" -> 50;
      case PREFIX + "hot" -> 0;
      default -> Double.POSITIVE_INFINITY;
    };
  }

  /**
   * What was lost since an earlier reading; nothing for a value that is unknown in either.
   *
   * @param ms between the two
   * @param cpus online
   */
  List<Lost> since(Counters before, double ms, int cpus) {
    List<Lost> lost = new ArrayList<>();
    if (stealMs != null && before.stealMs != null) {
      long steal = stealMs - before.stealMs;
      // One tick may be of a time before.
      add(lost, "steal", steal <= TICK_MS ? 0 : steal, ms * cpus);
    }
    add(lost, "cpuPressure", cpuPressureUs, before.cpuPressureUs, ms);
    add(lost, "memoryPressure", memoryPressureUs, before.memoryPressureUs, ms);
    add(lost, "ioPressure", ioPressureUs, before.ioPressureUs, ms);
    add(lost, "throttled", throttledUs, before.throttledUs, ms);
    if (thermalThrottles != null && before.thermalThrottles != null) {
      // Not a time: any is too much.
      add(lost, "hot", thermalThrottles > before.thermalThrottles ? ms : 0, ms);
    }
    return lost;
  }

  private static void add(List<Lost> lost, String what, Long nowUs, Long thenUs, double ms) {
    if (nowUs != null && thenUs != null) {
      add(lost, what, (double) (nowUs - thenUs) / US_PER_MS, ms);
    }
  }

  private static void add(List<Lost> lost, String what, double lostMs, double ofMs) {
    if (ofMs > 0) {
      double percent = Math.max(0, Math.min(100, lostMs / ofMs * 100));
      lost.add(new Lost(what, percent, limit(PREFIX + what)));
    }
  }

  /** What a metric is called in a text for the user. */
  static String words(String metric) {
    return switch (metric) {
      case PREFIX + "steal" -> "steal";
      case PREFIX + "cpuPressure" -> "waits for CPUs";
      case PREFIX + "memoryPressure" -> "waits for memory";
      case PREFIX + "ioPressure" -> "waits for disks";
      case PREFIX + "throttled" -> "stopped by the CPU limit";
      case PREFIX + "hot" -> "slowed down by heat";
      default -> metric;
    };
  }
}
