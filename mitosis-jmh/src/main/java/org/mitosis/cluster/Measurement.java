// SPDX-License-Identifier: Apache-2.0
package org.mitosis.cluster;

import java.time.Instant;
import java.util.ArrayList;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.function.Consumer;
import org.HdrHistogram.Histogram;
import org.mitosis.stats.Rates;

/** What all machines measure at one point of a target, as it comes in. Any thread may add. */
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

  /**
   * Of one point.
   *
   * @param log takes each line when it is there
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

  /** Takes a line that is no sample. */
  synchronized void line(ArtifactLine line) {
    lines.add(line);
    latest.put(line.host(), line);
    log.accept(line);
  }

  /**
   * Takes samples.
   *
   * @param clocks of the machine they are from, null if their times are of no loop
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

  /** All lines so far, of one machine after the other. */
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

  /** How far apart the loops started, in ns; empty if there were not two. */
  synchronized Optional<Long> startSkewNs() {
    Collection<Long> all = starts.values();
    return all.size() < 2
        ? Optional.empty()
        : Optional.of(
            all.stream().mapToLong(Long::longValue).max().getAsLong()
                - all.stream().mapToLong(Long::longValue).min().getAsLong());
  }

  /**
   * How many operations per second all machines did together.
   *
   * @param perSecond over the stable part, or the whole if there was none
   * @param byHost of each machine, over the same part
   * @param stable whether there was a stable part
   * @param fromS where the part starts, in s from the first start
   * @param toS where it ends
   */
  record Peak(
      double perSecond, Map<String, Double> byHost, boolean stable, double fromS, double toS) {}

  /** There are no more samples: their ends, which may be millions, are let go. */
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
