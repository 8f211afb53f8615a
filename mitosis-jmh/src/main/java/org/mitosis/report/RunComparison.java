// SPDX-License-Identifier: Apache-2.0
package org.mitosis.report;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Collectors;
import org.mitosis.result.EnvironmentDifference;
import org.mitosis.result.Estimate;
import org.mitosis.result.Figure;
import org.mitosis.result.Run;
import org.mitosis.stats.Comparison;
import org.mitosis.stats.Correction;
import org.mitosis.stats.Interval;

/**
 * Two runs, figure by figure.
 *
 * @param old the first run
 * @param now the second
 * @param rows the figures of both
 * @param correction the correction over all rows
 * @param drift by how much the figures differ that no version of this program changes, as a share:
 *     the machine has changed by it; 0 if that is not shown
 * @param differences differences of the environments; empty also if one is unknown
 */
public record RunComparison(
    Run old,
    Run now,
    List<Row> rows,
    Correction correction,
    double drift,
    List<EnvironmentDifference> differences) {

  /** The benchmarks in which this program does nothing but measure. */
  public static final List<String> CONTROLS =
      List.of("Baseline.fork", "Baseline.spawn", "NilCall.c");

  /** The verdict on a row. */
  public enum Verdict {
    /** The new one is better. */
    BETTER,
    /** The new one is worse. */
    WORSE,
    /** No difference is shown. */
    UNSURE
  }

  /**
   * One figure of both.
   *
   * @param figure the new one
   * @param comparison the statistics
   * @param adjusted the p-value after the correction over all rows
   * @param findable the smallest change, as a share, that could be found; NaN if none
   * @param verdict the verdict
   * @param withheld whether there would be a verdict if the machine had not changed
   * @param fewSamples whether a process has too few samples to carry a verdict, in either run
   * @param shortfall what is missing of it, in either run, such as {@code 2 of 3 forks in old};
   *     empty if nothing is
   */
  public record Row(
      Figure figure,
      Comparison comparison,
      double adjusted,
      double findable,
      Verdict verdict,
      boolean withheld,
      boolean fewSamples,
      String shortfall) {
    /** Whether no version of this program changes it. */
    public boolean isControl() {
      return RunComparison.isControl(figure);
    }

    /** Whether a process of it gave no result, in either run. */
    public boolean failed() {
      return !shortfall.isEmpty();
    }

    /** How much worse the new one is, as a share; below 0 if it is better. */
    public double worseBy() {
      return (figure.lessIsBetter() ? comparison.ratio() : 1 / comparison.ratio()) - 1;
    }
  }

  /** Compares with the correction of Benjamini and Hochberg. */
  public static RunComparison of(Run old, Run now) {
    return of(old, now, Correction.BENJAMINI_HOCHBERG);
  }

  /** A figure of both runs. */
  private record Pair(Estimate old, Estimate now) {
    boolean fewSamples() {
      return old.fewSamples() || now.fewSamples();
    }
  }

  /** Compares. */
  public static RunComparison of(Run old, Run now, Correction correction) {
    Map<Figure.Key, Figure> before = new LinkedHashMap<>();
    old.figures().forEach(figure -> before.put(figure.key(), figure));
    List<Figure> figures =
        now.figures().stream()
            .filter(figure -> before.containsKey(figure.key()) && !figure.isNote())
            .toList();
    List<Pair> pairs =
        figures.parallelStream()
            .map(figure -> new Pair(Estimate.of(before.get(figure.key())), Estimate.of(figure)))
            .toList();
    List<Comparison> comparisons =
        pairs.stream().map(pair -> Comparison.of(pair.old().forks(), pair.now().forks())).toList();
    double[] adjusted =
        correction.adjust(comparisons.stream().mapToDouble(Comparison::pValue).toArray());
    double drift = drift(figures, comparisons);
    NoiseFloor floor = NoiseFloor.of(old).or(NoiseFloor.of(now));
    List<Row> rows = new ArrayList<>();
    for (int i = 0; i < figures.size(); i++) {
      Figure figure = figures.get(i);
      Comparison comparison = comparisons.get(i);
      boolean few = pairs.get(i).fewSamples();
      Verdict unwidened = few ? Verdict.UNSURE : verdict(figure, comparison, adjusted[i], floor, 0);
      Verdict verdict =
          few || isControl(figure)
              ? unwidened
              : verdict(figure, comparison, adjusted[i], floor, drift);
      rows.add(
          new Row(
              figure,
              comparison,
              adjusted[i],
              comparison.findable(figures.size()),
              verdict,
              verdict != unwidened,
              few,
              shortfall(old, before.get(figure.key()), now, figure)));
    }
    return new RunComparison(old, now, List.copyOf(rows), correction, drift, differences(old, now));
  }

  private static boolean isControl(Figure figure) {
    return CONTROLS.contains(figure.shortName());
  }

  /** The largest difference among the controls that differ. */
  private static double drift(List<Figure> figures, List<Comparison> comparisons) {
    List<Comparison> controls = new ArrayList<>();
    for (int i = 0; i < figures.size(); i++) {
      if (isControl(figures.get(i))) {
        controls.add(comparisons.get(i));
      }
    }
    double[] adjusted =
        Correction.HOLM.adjust(controls.stream().mapToDouble(Comparison::pValue).toArray());
    double drift = 0;
    for (int i = 0; i < adjusted.length; i++) {
      if (controls.get(i).isDifferent(adjusted[i])) {
        drift = Math.max(drift, Math.expm1(Math.abs(Math.log(controls.get(i).ratio()))));
      }
    }
    return drift;
  }

  private static String shortfall(Run old, Figure before, Run now, Figure after) {
    List<String> missing = new ArrayList<>();
    if (before.isIncomplete()) {
      missing.add(before.shortfall() + " in old");
    }
    if (after.isIncomplete()) {
      missing.add(after.shortfall() + " in new");
    }
    boolean failed = old.failed().contains(after.title()) || now.failed().contains(after.title());
    return missing.isEmpty() && failed ? "failed in part" : String.join(", ", missing);
  }

  /** Whether there is a figure that shows a change of the machine. */
  public boolean hasControls() {
    return rows.stream().anyMatch(Row::isControl);
  }

  /** The figures of the first run only. */
  public List<Figure> onlyOld() {
    return without(old, now);
  }

  /** The figures of the second run only. */
  public List<Figure> onlyNow() {
    return without(now, old);
  }

  /** The benchmarks that failed in the second run only. */
  public List<String> newlyFailed() {
    Set<String> before = failedOf(old);
    return failedOf(now).stream().filter(name -> !before.contains(name)).toList();
  }

  /** The benchmarks without a result of each fork that the run asked for. */
  private static Set<String> failedOf(Run run) {
    Set<String> failed = new LinkedHashSet<>(run.failed());
    run.figures().stream().filter(Figure::isIncomplete).map(Figure::title).forEach(failed::add);
    return failed;
  }

  /** The fewest processes on a side of any row. */
  public int fewestForks() {
    Map<Figure.Key, Integer> before = new LinkedHashMap<>();
    old.figures().forEach(figure -> before.put(figure.key(), figure.forks().size()));
    return rows.stream()
        .mapToInt(row -> Math.min(row.figure().forks().size(), before.get(row.figure().key())))
        .min()
        .orElse(0);
  }

  private static Verdict verdict(
      Figure figure, Comparison comparison, double adjusted, NoiseFloor floor, double drift) {
    boolean aboveNoise = Math.abs(comparison.now() - comparison.old()) > floor.below(figure);
    if (!aboveNoise
        || !comparison.isDifferent(adjusted)
        || comparison.interval().map(ratio -> widened(ratio, drift).contains(1)).orElse(true)) {
      return Verdict.UNSURE;
    }
    // The interval is of the mean of logarithms: the median may lie on the other side of 1.
    boolean less = comparison.interval().get().high() < 1;
    if (less != comparison.ratio() < 1) {
      return Verdict.UNSURE;
    }
    return less == figure.lessIsBetter() ? Verdict.BETTER : Verdict.WORSE;
  }

  /** The interval of a row's ratio, widened by what the machine alone may have changed. */
  Optional<Interval> intervalOf(Row row) {
    return row.comparison().interval().map(ratio -> widened(ratio, row.isControl() ? 0 : drift));
  }

  /** The interval if the machine alone may have changed the figure by a share. */
  private static Interval widened(Interval ratio, double drift) {
    return new Interval(ratio.low() / (1 + drift), ratio.high() * (1 + drift), ratio.confidence());
  }

  private static List<EnvironmentDifference> differences(Run old, Run now) {
    if (old.environment().isEmpty() || now.environment().isEmpty()) {
      return List.of();
    }
    List<EnvironmentDifference> all =
        new ArrayList<>(
            EnvironmentDifference.between(old.environment().get(), now.environment().get()));
    if (now.figures().stream().noneMatch(figure -> figure.function().isPresent())) {
      all.removeIf(one -> one.what().startsWith("Python"));
    }
    if (now.figures().stream().noneMatch(figure -> figure.className().equals("BaselineCriu"))) {
      all.removeIf(one -> one.what().equals("CRIU"));
    }
    all.addAll(containers(old, now));
    return List.copyOf(all);
  }

  /** The kinds of containers that differ between figures of the same name. */
  private static List<EnvironmentDifference> containers(Run old, Run now) {
    Map<Figure.Key, Figure> before = new LinkedHashMap<>();
    old.figures().forEach(figure -> before.put(figure.key(), figure));
    Set<EnvironmentDifference> different = new LinkedHashSet<>();
    for (Figure figure : now.figures()) {
      Figure then = before.get(figure.key());
      if (then != null
          && !then.containers().isEmpty()
          && !figure.containers().isEmpty()
          && !then.containers().equals(figure.containers())) {
        different.add(
            new EnvironmentDifference(
                "containers of children",
                String.join(" and ", then.containers()),
                String.join(" and ", figure.containers())));
      }
    }
    return List.copyOf(different);
  }

  private static List<Figure> without(Run one, Run other) {
    Set<Figure.Key> known = other.figures().stream().map(Figure::key).collect(Collectors.toSet());
    return one.figures().stream()
        .filter(figure -> !known.contains(figure.key()) && !figure.isNote())
        .toList();
  }
}
