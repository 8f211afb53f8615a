// SPDX-License-Identifier: Apache-2.0
package org.mitosis.cluster;

import java.time.Instant;
import java.util.ArrayList;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.TreeMap;
import java.util.function.Consumer;
import org.HdrHistogram.Histogram;
import org.mitosis.stats.Rates;

/** The samples of all machines at one point of a target. Any thread may add some. */
final class Measurement {
  /** A histogram as precise as those of the benchmarks. */
  private static final int SIGNIFICANT_DIGITS = 3;

  private static final int INTERVALS = 20;
  private static final int FEWEST_STABLE = INTERVALS / 4;
  private static final double TOLERANCE = 0.1;
  private static final double NS_PER_S = 1e9;

  private final Target target;
  private final Point point;
  private final Consumer<ArtifactLine> log;
  private final Instant from = Instant.now();
  private final List<ArtifactLine> lines = new ArrayList<>();
  private final Map<String, Map<String, Histogram>> byHost = new TreeMap<>();
  private final Map<String, ArtifactLine.Seconds> seconds = new TreeMap<>();
  private final Map<String, List<Long>> ends = new TreeMap<>();
  private final Map<String, Long> starts = new TreeMap<>();
  private final Map<String, Integer> each = new TreeMap<>();
  private final Map<String, ArtifactLine> latest = new TreeMap<>();
  private Optional<Peak> peakAtEnd = Optional.empty();
  private boolean over;
  private final Map<String, String> chosenModes = new TreeMap<>();
  private long linkBytes = -1;

  /**
   * A measurement without samples.
   *
   * @param log takes each line as it comes
   */
  Measurement(Target target, Point point, Consumer<ArtifactLine> log) {
    this.target = target;
    this.point = point;
    this.log = log;
  }

  Point point() {
    return point;
  }

  Instant from() {
    return from;
  }

  /** Adds a line that is not of a sample. */
  synchronized void line(ArtifactLine line) {
    lines.add(line);
    latest.put(line.host(), line);
    log.accept(line);
  }

  /**
   * Adds samples.
   *
   * @param clocks of the machine that they are from
   */
  synchronized void add(String host, Clocks clocks, Task.Samples samples) {
    samples
        .ns()
        .forEach(
            (metric, times) -> {
              Histogram histogram =
                  byHost
                      .computeIfAbsent(host, h -> new TreeMap<>())
                      .computeIfAbsent(metric, m -> new Histogram(SIGNIFICANT_DIGITS));
              times.forEach(histogram::recordValue);
            });
    each.put(host, samples.each());
    starts.putIfAbsent(host + " " + samples.loop(), clocks.hereNs(samples.startNs()));
    List<Long> endsHere = ends.computeIfAbsent(host, h -> new ArrayList<>());
    samples.endNs().forEach(end -> endsHere.add(clocks.hereNs(end)));
    linesOf(host, samples).forEach(this::line);
  }

  private List<ArtifactLine> linesOf(String host, Task.Samples samples) {
    return switch (target.kind()) {
      case PREPARE ->
          samples.ns().getOrDefault("prepare", List.of()).stream()
              .map(
                  ns ->
                      target.ofFunctions()
                          ? ArtifactLine.function(host, point.trace(), "prepare", ns)
                          : ArtifactLine.prepare(host, ns))
              .toList();
      case EXECUTION ->
          samples.ns().getOrDefault("execution", List.of()).stream()
              .map(
                  ns ->
                      target.ofFunctions()
                          ? ArtifactLine.function(host, point.trace(), "execution", ns)
                          : ArtifactLine.work(host, "cow", ns))
              .toList();
      case BURST -> inSeconds(host, samples, "untilResult", "containers");
      case LOOPS, EMPTY -> inSeconds(host, samples, "startup", "containers");
      case NIL_RPC -> inSeconds(host, samples, "nilRpc", "requests");
      case WORK -> inSeconds(host, samples, "work", "calls");
      case DEPLOY, CLEAN -> List.of();
    };
  }

  private List<ArtifactLine> inSeconds(
      String host, Task.Samples samples, String metric, String things) {
    return seconds
        .computeIfAbsent(host, h -> new ArtifactLine.Seconds(h, things))
        .add(samples, samples.ns().getOrDefault(metric, List.of()));
  }

  /** The lines so far, in the order in which they came. */
  synchronized List<ArtifactLine> lines() {
    return List.copyOf(lines);
  }

  /** How many samples a machine has sent. */
  synchronized long samplesOf(String host) {
    return byHost.getOrDefault(host, Map.of()).values().stream()
        .mapToLong(Histogram::getTotalCount)
        .max()
        .orElse(0);
  }

  /** The last line of a machine; empty if there is none. */
  synchronized String latestOf(String host) {
    ArtifactLine line = latest.get(host);
    return line == null ? "" : line.text();
  }

  /** Copies of the histograms, by machine and figure. */
  synchronized Map<String, Map<String, Histogram>> histograms() {
    Map<String, Map<String, Histogram>> copy = new LinkedHashMap<>();
    byHost.forEach(
        (host, byMetric) -> {
          Map<String, Histogram> histograms = new LinkedHashMap<>();
          byMetric.forEach((metric, histogram) -> histograms.put(metric, histogram.copy()));
          copy.put(host, histograms);
        });
    return copy;
  }

  /** Time from the first start of a loop to the last, in ns; empty for fewer than two loops. */
  synchronized Optional<Long> startSkewNs() {
    Collection<Long> all = starts.values();
    return all.size() < 2
        ? Optional.empty()
        : Optional.of(
            all.stream().mapToLong(Long::longValue).max().getAsLong()
                - all.stream().mapToLong(Long::longValue).min().getAsLong());
  }

  /**
   * The rate of operations.
   *
   * @param perSecond of all machines, over the stable part, or the whole time if there was none
   * @param byHost of each machine, over the same part
   * @param stable whether there was a stable part
   * @param fromS where the part starts, in s from the first start
   * @param toS where it ends
   */
  record Peak(
      double perSecond, Map<String, Double> byHost, boolean stable, double fromS, double toS) {}

  /** Keeps how a machine's children were resumed in mode auto; "" without that mode. */
  synchronized void chosenMode(String host, String mode) {
    if (!mode.isEmpty()) {
      chosenModes.put(host, mode);
    }
  }

  /** How children were resumed, by machine; empty without mode auto. */
  synchronized Map<String, String> chosenModes() {
    return Map.copyOf(chosenModes);
  }

  /** Keeps what the parent's machine has sent to others; below 0 if that is not known. */
  synchronized void linkBytes(long bytes) {
    linkBytes = bytes;
  }

  /** What the parent's machine has sent to others; below 0 if that is not known. */
  synchronized long linkBytes() {
    return linkBytes;
  }

  /** The largest sample of a metric on any machine, in ns; 0 if there is none. */
  synchronized long lastNs(String metric) {
    return byHost.values().stream()
        .map(metrics -> metrics.get(metric))
        .filter(Objects::nonNull)
        .mapToLong(Histogram::getMaxValue)
        .max()
        .orElse(0);
  }

  /** How many samples a metric has on all machines. */
  synchronized long count(String metric) {
    return byHost.values().stream()
        .map(metrics -> metrics.get(metric))
        .filter(Objects::nonNull)
        .mapToLong(Histogram::getTotalCount)
        .sum();
  }

  /** Ends the measurement, and frees the times of its samples, which may be millions. */
  synchronized void end() {
    peakAtEnd = peak();
    over = true;
    ends.clear();
  }

  /** The peak; empty if nothing ended. */
  synchronized Optional<Peak> peak() {
    if (over) {
      return peakAtEnd;
    }
    List<Long> all = ends.values().stream().flatMap(List::stream).toList();
    if (all.isEmpty()) {
      return Optional.empty();
    }
    long startNs = starts.values().stream().mapToLong(Long::longValue).min().getAsLong();
    long endNs = all.stream().mapToLong(Long::longValue).max().getAsLong() + 1;
    if (endNs - startNs < INTERVALS) {
      return Optional.empty();
    }
    Optional<Rates.Span> stable =
        Rates.of(all, startNs, endNs, INTERVALS).stable(TOLERANCE, FEWEST_STABLE);
    Rates.Span span = stable.orElse(new Rates.Span(startNs, endNs));
    Map<String, Double> rates = new TreeMap<>();
    ends.forEach(
        (host, here) -> rates.put(host, span.perSecond(here) * each.getOrDefault(host, 1)));
    return Optional.of(
        new Peak(
            rates.values().stream().mapToDouble(Double::doubleValue).sum(),
            rates,
            stable.isPresent(),
            (span.fromNs() - startNs) / NS_PER_S,
            (span.toNs() - startNs) / NS_PER_S));
  }
}
