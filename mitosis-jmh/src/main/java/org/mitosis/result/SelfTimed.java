// SPDX-License-Identifier: Apache-2.0
package org.mitosis.result;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.OptionalLong;
import java.util.TreeMap;
import java.util.concurrent.ConcurrentHashMap;
import java.util.regex.Pattern;
import org.HdrHistogram.Histogram;

/**
 * Collects times that a benchmark, or a process it drives, has measured itself.
 *
 * <p>{@link SelfTimedProfiler} takes them at the end of each iteration. Without that profiler they
 * are collected but never read, which takes a bounded amount of memory. Recording takes some tens
 * of ns and may happen from any thread, inside a benchmark method but not in {@code @Setup}, which
 * is not part of an iteration.
 */
public final class SelfTimed {
  /** The longest time that can be recorded, in ns: one hour. */
  public static final long LONGEST_NS = 3_600_000_000_000L;

  /** Decimal digits to which the histograms of samples are precise. */
  static final int SIGNIFICANT_DIGITS = 3;

  /** Length of the first slices of an iteration, in ns. */
  private static final long SLICE_NS = 100_000_000;

  /** More slices than these are joined in pairs. */
  static final int MOST_SLICES = 32;

  /** In what is said of containers: behind it the mode that {@code resumeMode=auto} has chosen. */
  public static final String CHOSEN_MODE = "; resume mode auto is ";

  /** The characters of a tag in a histogram log. */
  private static final Pattern METRIC_NAME = Pattern.compile("[A-Za-z][A-Za-z0-9._-]*");

  private static final Map<String, Metric> METRICS = new ConcurrentHashMap<>();
  private static final Map<String, Values> VALUES = new TreeMap<>();

  private static volatile String container = "";

  private SelfTimed() {}

  /**
   * Says what the children are in that are timed from now on, as it really is, and behind {@link
   * #CHOSEN_MODE} how they are resumed if that is not in the parameters: the log of this process
   * keeps it.
   */
  public static void container(String text) {
    container = text;
  }

  /** Removes and returns what was last said of containers; empty if nothing was. */
  static String takeContainer() {
    String taken = container;
    container = "";
    return taken;
  }

  /**
   * Records the time of one operation.
   *
   * @param metric the figure's name: a letter, then letters, digits, dots, dashes, underscores
   * @param ns its time, 0 to {@link #LONGEST_NS}
   * @throws IllegalArgumentException if either is out of range
   */
  public static void record(String metric, long ns) {
    record(metric, ns, 1);
  }

  /**
   * Records the time of several equal operations together, as one sample of their mean.
   *
   * @param metric the figure's name: a letter, then letters, digits, dots, dashes, underscores
   * @param totalNs the time of all of them, 0 to {@link #LONGEST_NS}
   * @param operations their number, at least 1
   * @throws IllegalArgumentException if any is out of range
   */
  public static void record(String metric, long totalNs, int operations) {
    if (totalNs < 0 || totalNs > LONGEST_NS || operations < 1) {
      throw new IllegalArgumentException(
          metric
              + ": "
              + totalNs
              + " ns for "
              + operations
              + " operations: the time must be between 0 and "
              + LONGEST_NS
              + " ns, of at least 1 operation");
    }
    METRICS.computeIfAbsent(metric, Metric::new).add(totalNs, operations);
  }

  /**
   * Records the time of one operation that ended before now.
   *
   * @param metric the figure's name: a letter, then letters, digits, dots, dashes, underscores
   * @param ns its time, 0 to {@link #LONGEST_NS}
   * @param endNs when it ended, by {@link System#nanoTime}; not before the one recorded last
   * @throws IllegalArgumentException if name or time is out of range
   */
  public static void recordAt(String metric, long ns, long endNs) {
    if (ns < 0 || ns > LONGEST_NS) {
      throw new IllegalArgumentException(
          metric + ": " + ns + " ns must be between 0 and " + LONGEST_NS + " ns");
    }
    METRICS.computeIfAbsent(metric, Metric::new).addEnded(ns, endNs);
  }

  /**
   * Records a figure that is not a time, such as a rate. JMH shows the mean over an iteration as a
   * secondary metric; it is in no histogram.
   *
   * @param metric the figure's name: a letter, then letters, digits, dots, dashes, underscores
   * @param value the figure
   * @param unit of it, such as {@code ops/s}
   */
  public static void value(String metric, double value, String unit) {
    requireName(metric);
    synchronized (VALUES) {
      VALUES
          .computeIfAbsent(metric, key -> new Values(metric, unit, new ArrayList<>()))
          .values()
          .add(value);
    }
  }

  /** Discards what has been recorded. */
  static void clear() {
    METRICS.values().forEach(Metric::take);
    takeValues();
  }

  /** Removes and returns the figures that are not times. */
  static List<Values> takeValues() {
    synchronized (VALUES) {
      List<Values> taken = List.copyOf(VALUES.values());
      VALUES.clear();
      return taken;
    }
  }

  /**
   * The figures of one metric that is not a time.
   *
   * @param unit of the figures
   */
  record Values(String metric, String unit, List<Double> values) {
    double mean() {
      return values.stream().mapToDouble(Double::doubleValue).average().orElse(Double.NaN);
    }
  }

  private static void requireName(String metric) {
    if (!METRIC_NAME.matcher(metric).matches()) {
      throw new IllegalArgumentException("'" + metric + "' is not a name for a metric");
    }
  }

  /** Removes and returns the times recorded since the last call: one for each metric. */
  static List<Samples> take() {
    Map<String, Samples> taken = new TreeMap<>();
    METRICS.forEach((name, metric) -> taken.put(name, metric.take()));
    taken.values().removeIf(samples -> samples.operations() == 0);
    return List.copyOf(taken.values());
  }

  /**
   * The samples of one metric.
   *
   * @param totalNs the sum of all times, in ns
   * @param operations number of operations
   * @param slices one after the other, at most {@value #MOST_SLICES}
   * @param lastNs when the last operation ended, by {@link System#nanoTime}, if they were recorded
   *     with the times when they ended
   * @param takenNs when they were removed, by {@link System#nanoTime}
   */
  record Samples(
      String metric,
      long totalNs,
      long operations,
      List<Slice> slices,
      OptionalLong lastNs,
      long takenNs) {
    /** One value for each recording, in ns. */
    Histogram histogram() {
      Histogram all = new Histogram(SIGNIFICANT_DIGITS);
      slices.forEach(slice -> all.add(slice.histogram()));
      return all;
    }

    /** Mean time of an operation, exact, in ns. */
    double meanNs() {
      return (double) totalNs / operations;
    }
  }

  /**
   * The times of a part of an iteration, which show a change during the iteration.
   *
   * @param fromNs its beginning by {@link System#nanoTime}; it lasts until the next one begins
   * @param histogram one value for each recording, in ns
   */
  record Slice(long fromNs, Histogram histogram) {}

  /** The times of one metric. */
  static final class Metric {
    private final String name;
    private long totalNs;
    private long operations;
    private OptionalLong lastNs = OptionalLong.empty();
    private final List<Slice> slices = new ArrayList<>();
    private long sliceNs = SLICE_NS;

    Metric(String name) {
      requireName(name);
      this.name = name;
    }

    void add(long ns, int count) {
      add(ns, count, System.nanoTime());
    }

    synchronized void addEnded(long ns, long endNs) {
      add(ns, 1, endNs);
      lastNs = OptionalLong.of(endNs);
    }

    synchronized void add(long ns, int count, long nowNs) {
      totalNs += ns;
      operations += count;
      slice(nowNs).histogram().recordValue((ns + count / 2) / count);
    }

    private Slice slice(long nowNs) {
      if (!slices.isEmpty() && nowNs - last().fromNs() < sliceNs) {
        return last();
      }
      if (slices.size() == MOST_SLICES) {
        for (int i = 0; i < MOST_SLICES / 2; i++) {
          slices.get(i).histogram().add(slices.remove(i + 1).histogram());
        }
        sliceNs *= 2;
      }
      slices.add(new Slice(nowNs, new Histogram(SIGNIFICANT_DIGITS)));
      return last();
    }

    private Slice last() {
      return slices.get(slices.size() - 1);
    }

    synchronized Samples take() {
      Samples samples =
          new Samples(name, totalNs, operations, List.copyOf(slices), lastNs, System.nanoTime());
      totalNs = 0;
      operations = 0;
      lastNs = OptionalLong.empty();
      slices.clear();
      sliceNs = SLICE_NS;
      return samples;
    }
  }
}
