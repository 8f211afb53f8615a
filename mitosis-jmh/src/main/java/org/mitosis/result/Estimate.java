// SPDX-License-Identifier: Apache-2.0
package org.mitosis.result;

import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.stream.Collectors;
import org.mitosis.stats.Bootstrap;
import org.mitosis.stats.Interval;
import org.mitosis.stats.SteadyState;
import org.mitosis.stats.Summary;
import org.mitosis.stats.ValueCounts;

/**
 * The statistics of a figure, over the steady part of each process, or over all samples of a
 * process without a steady part. Table, report, comparison and figures.csv all take them from here.
 *
 * <p>The estimate of a figure is the median of the medians of its processes: each process counts
 * once, however many samples it has. Of an even number, a median is the mean of the two values in
 * the middle.
 *
 * @param steady state of each process, by number
 * @param median of the processes' medians, in the figure's unit
 * @param forkMedians the median of each process with samples, by number
 * @param interval of that median, with the process as the sampling unit; empty if there are too few
 * @param summary of all samples together
 * @param allSamples of the steady parts, in ns; empty if only scores are known
 * @param fewSamples whether a process has fewer than {@value #FEWEST_SAMPLES} samples; a score
 *     stands for as many operations as its iteration had time for, and is never one of few
 */
public record Estimate(
    List<SteadyState> steady,
    double median,
    List<Double> forkMedians,
    Optional<Interval> interval,
    Summary summary,
    Optional<ValueCounts> allSamples,
    boolean fewSamples) {

  /** The fewest samples of a process that carry a figure of it. */
  public static final int FEWEST_SAMPLES = 5;

  /** Computes the statistics of a figure. */
  public static Estimate of(Figure figure) {
    List<SteadyPart> parts = steadyParts(figure);
    List<SteadyPart> measured = parts.stream().filter(part -> !part.points().isEmpty()).toList();
    Optional<ValueCounts> allSamples = Optional.empty();
    double[] medians;
    if (!measured.isEmpty() && measured.stream().allMatch(part -> hasSamples(part.points()))) {
      List<ValueCounts> byFork = measured.stream().map(part -> samples(part.points())).toList();
      medians = byFork.stream().mapToDouble(ValueCounts::median).toArray();
      allSamples = Optional.of(ValueCounts.joined(byFork));
    } else {
      medians = measured.stream().mapToDouble(part -> median(part.points())).toArray();
    }
    return new Estimate(
        parts.stream().map(SteadyPart::state).toList(),
        Summary.of(medians).median(),
        Arrays.stream(medians).boxed().toList(),
        Bootstrap.median(medians),
        allSamples.map(Summary::of).orElseGet(() -> Summary.of(values(measured))),
        allSamples,
        allSamples.isPresent()
            && measured.stream().anyMatch(part -> samples(part.points()).total() < FEWEST_SAMPLES));
  }

  /** The median of each process as an array. */
  public double[] forks() {
    return forkMedians.stream().mapToDouble(Double::doubleValue).toArray();
  }

  /** The steady state of a process, and its points in that. */
  private record SteadyPart(SteadyState state, List<Figure.Point> points) {}

  private static List<SteadyPart> steadyParts(Figure figure) {
    return figure.forks().stream()
        .map(
            fork -> {
              List<Figure.Point> points = fork.points();
              double[] times =
                  points.stream()
                      .mapToDouble(
                          point -> figure.lessIsBetter() ? point.value() : 1 / point.value())
                      .toArray();
              SteadyState state = SteadyState.of(times);
              return new SteadyPart(state, points.subList(state.from(), points.size()));
            })
        .toList();
  }

  /** Each label once, with the number of processes where they differ, such as {@code 2 flat}. */
  public String steadyLabels() {
    Map<SteadyState.Label, Long> counts =
        steady.stream()
            .collect(
                Collectors.groupingBy(SteadyState::label, TreeMap::new, Collectors.counting()));
    return counts.size() == 1
        ? counts.keySet().iterator().next().toString()
        : counts.entrySet().stream()
            .map(count -> count.getValue() + " " + count.getKey())
            .collect(Collectors.joining(", "));
  }

  private static double median(List<Figure.Point> points) {
    return hasSamples(points)
        ? samples(points).median()
        : Summary.of(points.stream().mapToDouble(Figure.Point::value).toArray()).median();
  }

  private static ValueCounts samples(List<Figure.Point> points) {
    return ValueCounts.joined(points.stream().map(Figure.Point::samples).toList());
  }

  private static double[] values(List<SteadyPart> parts) {
    return parts.stream()
        .flatMap(part -> part.points().stream())
        .mapToDouble(Figure.Point::value)
        .toArray();
  }

  private static boolean hasSamples(List<Figure.Point> points) {
    return !points.isEmpty() && points.stream().allMatch(point -> point.samples() != null);
  }
}
