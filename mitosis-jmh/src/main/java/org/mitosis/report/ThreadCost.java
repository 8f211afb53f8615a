// SPDX-License-Identifier: Apache-2.0
package org.mitosis.report;

import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.OptionalDouble;
import java.util.Set;
import java.util.TreeMap;

/**
 * What each further thread of a parent costs: the median less that of the fewest threads with the
 * same settings in the same run, divided by how many more there are.
 */
final class ThreadCost {
  private static final String THREADS = "threads";

  private ThreadCost() {}

  /** Whether some times of a table are of different numbers of threads. */
  static boolean isKnown(Set<String> varying, List<ReportedFigure> figures) {
    return varying.contains(THREADS)
        && figures.stream().allMatch(one -> one.isTime() && count(one) > 0);
  }

  /** In the unit of the figure; empty for the one with the fewest threads. */
  static OptionalDouble of(ReportedFigure one, List<ReportedFigure> figures) {
    return figures.stream()
        .filter(other -> other.run().equals(one.run()) && others(other).equals(others(one)))
        .min(Comparator.comparingInt(ThreadCost::count))
        .filter(base -> count(one) > count(base))
        .map(
            base ->
                OptionalDouble.of(
                    (one.estimate().median() - base.estimate().median())
                        / (count(one) - count(base))))
        .orElse(OptionalDouble.empty());
  }

  private static int count(ReportedFigure one) {
    String count = one.figure().params().getOrDefault(THREADS, "");
    return count.matches("[0-9]{1,9}") ? Integer.parseInt(count) : 0;
  }

  private static Map<String, String> others(ReportedFigure one) {
    Map<String, String> params = new TreeMap<>(one.figure().params());
    params.remove(THREADS);
    return params;
  }
}
