// SPDX-License-Identifier: Apache-2.0
package org.mitosis.result;

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
 * process without a steady part.
 *
 * @param steady state of each process, by number
 * @param median of the processes' medians, in the figure's unit
 * @param interval of that median, with the process as the sampling unit; empty if there are too few
 * @param summary of all samples together
 * @param allSamples of the steady parts, in ns; empty if only scores are known
 */
public record Estimate(
    List<SteadyState> steady,
    double median,
    Optional<Interval> interval,
    Summary summary,
    Optional<ValueCounts> allSamples) {

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
        Bootstrap.median(medians),
        allSamples.map(Summary::of).orElseGet(() -> Summary.of(values(measured))),
        allSamples);
  }

  /** The median of each iteration of the steady part, in the figure's unit, by process. */
  public static List<double[]> iterations(Figure figure) {
    return steadyParts(figure).stream().map(part -> iterations(part.points())).toList();
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

  private static double[] iterations(List<Figure.Point> points) {
    return points.stream()
        .collect(Collectors.groupingBy(Figure.Point::iteration, TreeMap::new, Collectors.toList()))
        .values()
        .stream()
        .mapToDouble(Estimate::median)
        .toArray();
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
