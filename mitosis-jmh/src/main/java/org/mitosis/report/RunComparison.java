// SPDX-License-Identifier: Apache-2.0
package org.mitosis.report;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.Collectors;
import org.mitosis.result.EnvironmentDifference;
import org.mitosis.result.Estimate;
import org.mitosis.result.Figure;
import org.mitosis.result.Run;
import org.mitosis.stats.Comparison;
import org.mitosis.stats.Holm;

/**
 * Two runs, figure by figure.
 *
 * @param old the first run
 * @param now the second
 * @param rows the figures of both
 * @param differences differences of the environments; empty also if one is unknown
 */
public record RunComparison(
    Run old, Run now, List<Row> rows, List<EnvironmentDifference> differences) {

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
   * @param adjusted the p-value after Holm's correction over all rows
   * @param verdict the verdict
   * @param shortfall what is missing of it, in either run, such as {@code 2 of 3 forks in old};
   *     empty if nothing is
   */
  public record Row(
      Figure figure, Comparison comparison, double adjusted, Verdict verdict, String shortfall) {
    /** Whether a process of it gave no result, in either run. */
    public boolean failed() {
      return !shortfall.isEmpty();
    }

    /** How much worse the new one is, as a share; below 0 if it is better. */
    public double worseBy() {
      return (figure.lessIsBetter() ? comparison.ratio() : 1 / comparison.ratio()) - 1;
    }
  }

  /** Compares. */
  public static RunComparison of(Run old, Run now) {
    Map<Figure.Key, Figure> before = new LinkedHashMap<>();
    old.figures().forEach(figure -> before.put(figure.key(), figure));
    List<Figure> figures =
        now.figures().stream()
            .filter(figure -> before.containsKey(figure.key()) && !figure.isNote())
            .toList();
    List<Comparison> comparisons =
        figures.parallelStream()
            .map(
                figure ->
                    Comparison.of(
                        Estimate.iterations(before.get(figure.key())), Estimate.iterations(figure)))
            .toList();
    double[] adjusted = Holm.adjust(comparisons.stream().mapToDouble(Comparison::pValue).toArray());
    NoiseFloor floor = NoiseFloor.of(old).or(NoiseFloor.of(now));
    List<Row> rows = new ArrayList<>();
    for (int i = 0; i < figures.size(); i++) {
      Figure figure = figures.get(i);
      Comparison comparison = comparisons.get(i);
      rows.add(
          new Row(
              figure,
              comparison,
              adjusted[i],
              verdict(figure, comparison, adjusted[i], floor),
              shortfall(old, before.get(figure.key()), now, figure)));
    }
    return new RunComparison(old, now, List.copyOf(rows), differences(old, now));
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
      Figure figure, Comparison comparison, double adjusted, NoiseFloor floor) {
    boolean aboveNoise = Math.abs(comparison.now() - comparison.old()) > floor.below(figure);
    if (!aboveNoise || !comparison.isDifferent(adjusted)) {
      return Verdict.UNSURE;
    }
    return comparison.ratio() < 1 == figure.lessIsBetter() ? Verdict.BETTER : Verdict.WORSE;
  }

  private static List<EnvironmentDifference> differences(Run old, Run now) {
    if (old.environment().isEmpty() || now.environment().isEmpty()) {
      return List.of();
    }
    return EnvironmentDifference.between(old.environment().get(), now.environment().get());
  }

  private static List<Figure> without(Run one, Run other) {
    Set<Figure.Key> known = other.figures().stream().map(Figure::key).collect(Collectors.toSet());
    return one.figures().stream()
        .filter(figure -> !known.contains(figure.key()) && !figure.isNote())
        .toList();
  }
}
