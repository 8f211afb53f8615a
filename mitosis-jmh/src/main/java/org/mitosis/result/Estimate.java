// SPDX-License-Identifier: Apache-2.0
package org.mitosis.result;

import java.util.ArrayList;
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
 * What can be said of a figure: of the steady part of each process; of a process that has none, of
 * all that it measured.
 *
 * @param steady what each process did, by number
 * @param median of the processes' medians, in the figure's unit
 * @param interval of that median, with the process as the sampling unit; empty if there are too few
 * @param summary of all samples together
 * @param samples one value for each iteration, by process
 * @param allSamples of the steady parts, in ns; empty if only scores are known
 */
public record Estimate(
    List<SteadyState> steady,
    double median,
    Optional<Interval> interval,
    Summary summary,
    List<double[]> samples,
    Optional<ValueCounts> allSamples) {

  /** Judges a figure. */
  public static Estimate of(Figure figure) {
    List<SteadyState> steady = new ArrayList<>();
    List<List<Figure.Point>> used = new ArrayList<>();
    for (Figure.Fork fork : figure.forks()) {
      double[] times =
          fork.points().stream()
              .mapToDouble(point -> figure.lessIsBetter() ? point.value() : 1 / point.value())
              .toArray();
      SteadyState state = SteadyState.of(times);
      steady.add(state);
      used.add(fork.points().subList(state.from(), fork.points().size()));
    }
    double[] medians =
        used.stream().filter(points -> !points.isEmpty()).mapToDouble(Estimate::median).toArray();
    List<Figure.Point> all = used.stream().flatMap(List::stream).toList();
    Optional<ValueCounts> samples = hasSamples(all) ? Optional.of(samples(all)) : Optional.empty();
    return new Estimate(
        List.copyOf(steady),
        Summary.of(medians).median(),
        Bootstrap.median(medians),
        samples.map(Summary::of).orElseGet(() -> Summary.of(values(all))),
        used.stream().map(Estimate::iterations).toList(),
        samples);
  }

  /** Each label once, with the number of processes where they differ, such as {@code 2 flat}. */
  public String steadyWords() {
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
    return hasSamples(points) ? samples(points).median() : Summary.of(values(points)).median();
  }

  private static ValueCounts samples(List<Figure.Point> points) {
    return ValueCounts.joined(points.stream().map(Figure.Point::samples).toList());
  }

  private static double[] values(List<Figure.Point> points) {
    return points.stream().mapToDouble(Figure.Point::value).toArray();
  }

  private static boolean hasSamples(List<Figure.Point> points) {
    return !points.isEmpty() && points.stream().allMatch(point -> point.samples() != null);
  }
}
