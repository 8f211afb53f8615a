// SPDX-License-Identifier: Apache-2.0
package org.mitosis.stats;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collection;
import java.util.List;
import java.util.Optional;

/**
 * The rates of events, counted in intervals of equal length.
 *
 * @param startNs where the first interval starts, by the clock of the times
 * @param intervalNs the length of an interval, at least 1
 * @param perSecond the rate in each interval
 */
public record Rates(long startNs, long intervalNs, List<Double> perSecond) {
  private static final double NS_PER_S = 1e9;

  /** Takes a copy of the list. */
  public Rates {
    perSecond = List.copyOf(perSecond);
  }

  /**
   * Counts events.
   *
   * @param timesNs of the events, in any order; those outside are not counted
   * @param fromNs where the first interval starts
   * @param toNs where the last one ends; the remainder is cut off
   * @param intervals their number, at least 1
   * @throws IllegalArgumentException if the time is too short for so many intervals
   */
  public static Rates of(Collection<Long> timesNs, long fromNs, long toNs, int intervals) {
    long intervalNs = (toNs - fromNs) / intervals;
    if (intervalNs < 1) {
      throw new IllegalArgumentException(
          (toNs - fromNs) + " ns are too short for " + intervals + " intervals");
    }
    long[] counts = new long[intervals];
    for (long timeNs : timesNs) {
      long at = Math.floorDiv(timeNs - fromNs, intervalNs);
      if (at >= 0 && at < intervals) {
        counts[(int) at]++;
      }
    }
    return new Rates(
        fromNs,
        intervalNs,
        Arrays.stream(counts).mapToObj(count -> count * NS_PER_S / intervalNs).toList());
  }

  /**
   * The longest part in which no interval's rate is further from their median than the tolerance;
   * of several that long, the first.
   *
   * @param tolerance as a share of the median
   * @param fewest intervals that it must have, at least 1
   * @return empty if there is none
   */
  public Optional<Span> stable(double tolerance, int fewest) {
    return stable(fewest, (from, to) -> isStable(perSecond.subList(from, to), tolerance));
  }

  private Optional<Span> stable(int fewest, Judge judge) {
    for (int length = perSecond.size(); length >= fewest; length--) {
      for (int from = 0; from + length <= perSecond.size(); from++) {
        if (judge.isStable(from, from + length)) {
          return Optional.of(
              new Span(startNs + from * intervalNs, startNs + (from + length) * intervalNs));
        }
      }
    }
    return Optional.empty();
  }

  /**
   * The longest part that is stable, and in which the medians of the events' latencies do not move
   * away from their median either: a queue that grows is served at a stable rate.
   *
   * @param tolerance as a share of the median, of rates and of latencies
   * @param fewest intervals that it must have, at least 1
   * @param timesNs of the events, as they were counted
   * @param latenciesNs of the same events, in the same order
   * @return empty if there is none
   */
  public Optional<Span> stable(
      double tolerance, int fewest, List<Long> timesNs, List<Long> latenciesNs) {
    List<List<Double>> byInterval = new ArrayList<>();
    perSecond.forEach(any -> byInterval.add(new ArrayList<>()));
    for (int i = 0; i < timesNs.size(); i++) {
      long at = Math.floorDiv(timesNs.get(i) - startNs, intervalNs);
      if (at >= 0 && at < byInterval.size()) {
        byInterval.get((int) at).add((double) latenciesNs.get(i));
      }
    }
    List<Double> latencies = byInterval.stream().map(Rates::median).toList();
    return stable(
        fewest,
        (from, to) ->
            isStable(perSecond.subList(from, to), tolerance)
                && isStable(latencies.subList(from, to), tolerance));
  }

  private interface Judge {
    boolean isStable(int from, int to);
  }

  private static double median(List<Double> values) {
    return Summary.of(values.stream().mapToDouble(Double::doubleValue).toArray()).median();
  }

  private static boolean isStable(List<Double> rates, double tolerance) {
    double median = median(rates);
    return median > 0
        && rates.stream().allMatch(rate -> Math.abs(rate - median) <= tolerance * median);
  }

  /**
   * An interval of time, in ns.
   *
   * @param fromNs its start
   * @param toNs its end, exclusive
   */
  public record Span(long fromNs, long toNs) {
    /** Whether a time is in it. */
    public boolean contains(long timeNs) {
      return timeNs >= fromNs && timeNs < toNs;
    }

    /** The rate of the events in it. */
    public double perSecond(Collection<Long> timesNs) {
      return timesNs.stream().filter(this::contains).count() * NS_PER_S / (toNs - fromNs);
    }
  }
}
