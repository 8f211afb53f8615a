// SPDX-License-Identifier: Apache-2.0
package org.mitosis.result;

import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.stream.Collectors;
import org.mitosis.setting.ParameterNames;
import org.mitosis.stats.ValueCounts;

/**
 * One measured figure of a run: a benchmark with its parameters, and one of its metrics.
 *
 * @param benchmark class and method, with the package
 * @param params values of its parameters by their names
 * @param metric the figure's name; {@value #SCORE} is what JMH itself measured
 * @param unit of its values: {@value #NS} for every time, else as JMH wrote it, such as {@code
 *     ops/s}
 * @param forks one for each process that was kept, by number
 * @param forksAsked the number of processes that the run asked for; 0 if it is not known
 */
public record Figure(
    String benchmark,
    Map<String, String> params,
    String metric,
    String unit,
    List<Fork> forks,
    int forksAsked) {
  /** The metric of JMH's primary score. */
  public static final String SCORE = "score";

  /** The metric of all children of a schedule. */
  static final String OFFERED = "offered";

  /** The metric of the children of a schedule that were started only after its end. */
  static final String LATE = "late";

  /** The metric of the children of a schedule that were not started. */
  public static final String LOST = "lost";

  /**
   * The begin of the names of metrics that follow {@code childMemory}: of so many of its children.
   */
  public static final String MEMORY_OF = "childMemory.";

  /** The unit of times. */
  public static final String NS = "ns";

  private static final Set<String> NOTES =
      Set.of(
          "stable",
          "stableFrom",
          "stableTo",
          OFFERED,
          "started",
          LOST,
          LATE,
          "searchSteps",
          PagesCame.BY_RDMA,
          PagesCame.FALLBACKS);

  /** Sorts the parameters, and copies lists and maps. */
  public Figure {
    params = Collections.unmodifiableMap(new TreeMap<>(params));
    forks = List.copyOf(forks);
  }

  /** A figure of which it is not known how many processes the run asked for. */
  public Figure(
      String benchmark, Map<String, String> params, String metric, String unit, List<Fork> forks) {
    this(benchmark, params, metric, unit, forks, 0);
  }

  /**
   * The measurements of one process.
   *
   * @param number from 1
   * @param points in the order of time
   * @param container what its children were in; empty if it had none, or that is not known
   */
  public record Fork(int number, List<Point> points, String container) {
    /** Takes a copy of the list. */
    public Fork {
      points = List.copyOf(points);
    }

    /** A process of whose children nothing is known. */
    public Fork(int number, List<Point> points) {
      this(number, points, "");
    }
  }

  /**
   * The measurement in one interval of time.
   *
   * @param iteration the measured iteration, from 1
   * @param startMs when it began, in ms since 1970; 0 if that is not known
   * @param endMs when it ended, in ms since 1970; 0 if that is not known
   * @param value the median of its samples, or the score of the iteration
   * @param samples all its samples, in ns; null if only the value is known
   */
  public record Point(int iteration, long startMs, long endMs, double value, ValueCounts samples) {}

  /** Whether processes are missing that the run asked for. */
  public boolean isIncomplete() {
    return forks.size() < forksAsked;
  }

  /** What is there of what the run asked for, such as {@code 2 of 3 forks}; empty if all is. */
  public String shortfall() {
    return isIncomplete() ? forks.size() + " of " + forksAsked + " forks" : "";
  }

  /** The same figure in a run that asked for this number of processes, if that is not known yet. */
  Figure asked(int forksOfRun) {
    return new Figure(
        benchmark, params, metric, unit, forks, forksAsked > 0 ? forksAsked : forksOfRun);
  }

  /** Whether a smaller value is the better one. */
  public boolean lessIsBetter() {
    return !unit.startsWith("ops/");
  }

  /** Whether it only explains another figure, such as the ends of a stable interval. */
  public boolean isNote() {
    return NOTES.contains(metric)
        || metric.startsWith(Counters.PREFIX)
        || metric.startsWith(MEMORY_OF);
  }

  /** What the children of its processes were in, sorted; empty if none is known. */
  public List<String> containers() {
    return forks.stream()
        .map(Fork::container)
        .filter(container -> !container.isEmpty())
        .distinct()
        .sorted()
        .toList();
  }

  /** Class and method, without the package. */
  public String shortName() {
    return benchmark.substring(benchmark.lastIndexOf('.', benchmark.lastIndexOf('.') - 1) + 1);
  }

  /** The method's class, without the package. */
  public String className() {
    String name = shortName();
    return name.contains(".") ? name.substring(0, name.indexOf('.')) : name;
  }

  /** The working set in bytes, if it has one. */
  public Optional<Long> memoryBytes() {
    String size = params.getOrDefault(ParameterNames.MEMORY_SIZE, "");
    return size.matches("[0-9]{1,18}") ? Optional.of(Long.valueOf(size)) : Optional.empty();
  }

  /** The function's name, if it has one. */
  public Optional<String> function() {
    return Optional.ofNullable(params.get(ParameterNames.FUNCTION_NAME));
  }

  /** The parameters beside working set and function, such as {@code transport=tcp}. */
  public Map<String, String> setting() {
    Map<String, String> setting = new TreeMap<>(params);
    setting.keySet().removeAll(ParameterNames.TRACE);
    return setting;
  }

  /** The name by which a user selects it, and by which the environment names a failure. */
  public String title() {
    return shortName() + text(params);
  }

  /** Parameters as {@code name=value}, with a blank before each. */
  public static String text(Map<String, String> params) {
    return params.entrySet().stream()
        .map(param -> " " + param.getKey() + "=" + param.getValue())
        .collect(Collectors.joining());
  }

  /** The key by which the same figure is found in another run. */
  public Key key() {
    return new Key(benchmark, params, metric, unit);
  }

  /**
   * The key of comparable figures.
   *
   * @param benchmark class and method
   * @param params by name
   * @param metric its name
   * @param unit of its values
   */
  public record Key(String benchmark, Map<String, String> params, String metric, String unit) {
    /** No part may be null. */
    public Key {
      Objects.requireNonNull(benchmark);
      Objects.requireNonNull(params);
      Objects.requireNonNull(metric);
      Objects.requireNonNull(unit);
    }
  }
}
