// SPDX-License-Identifier: Apache-2.0
package org.mitosis.report;

import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.OptionalDouble;
import java.util.Set;
import java.util.TreeMap;
import java.util.stream.Stream;

/**
 * What each further thread or open file of a parent costs: the median less that of the fewest with
 * the same settings in the same run, divided by how many more there are.
 */
enum CountCost {
  THREADS("threads", "a further thread"),
  FILES("files", "a further file");

  private final String parameter;
  private final String title;

  CountCost(String parameter, String title) {
    this.parameter = parameter;
    this.title = title;
  }

  /** Those of a table some of whose times are of different numbers, and none of which lacks one. */
  static List<CountCost> known(Set<String> varying, List<ReportedFigure> figures) {
    return Stream.of(values())
        .filter(cost -> varying.contains(cost.parameter))
        .filter(cost -> figures.stream().allMatch(one -> one.isTime() && cost.count(one) >= 0))
        .toList();
  }

  /** Of its column. */
  String title() {
    return title;
  }

  /** In the unit of the figure; empty for the one with the fewest. */
  OptionalDouble of(ReportedFigure one, List<ReportedFigure> figures) {
    return figures.stream()
        .filter(other -> other.run().equals(one.run()) && others(other).equals(others(one)))
        .min(Comparator.comparingInt(this::count))
        .filter(base -> count(one) > count(base))
        .map(
            base ->
                OptionalDouble.of(
                    (one.estimate().median() - base.estimate().median())
                        / (count(one) - count(base))))
        .orElse(OptionalDouble.empty());
  }

  /** Negative if there is none. */
  private int count(ReportedFigure one) {
    String count = one.figure().params().getOrDefault(parameter, "");
    return count.matches("[0-9]{1,9}") ? Integer.parseInt(count) : -1;
  }

  private Map<String, String> others(ReportedFigure one) {
    Map<String, String> params = new TreeMap<>(one.figure().params());
    params.remove(parameter);
    return params;
  }
}
