// SPDX-License-Identifier: Apache-2.0
package org.mitosis.report;

import java.util.List;
import java.util.Locale;
import java.util.OptionalInt;
import java.util.Set;
import org.mitosis.result.Estimate;
import org.mitosis.result.Figure;
import org.mitosis.result.Run;
import org.mitosis.stats.Comparison;
import org.mitosis.stats.ForkPlan;

/** How many forks a comparison with a run needs, figure by figure. */
public final class PlanTable {
  private PlanTable() {}

  /**
   * The plan as text.
   *
   * @param effect the change that the comparison should find, as a share, above 0
   */
  public static String of(Run run, double effect) {
    List<Figure> figures =
        run.figures().stream()
            .filter(figure -> !figure.isNote())
            .sorted(FigureOrder.BY_NAME)
            .toList();
    TextTable table =
        new TextTable(List.of("", "forks", "noise between forks", "forks needed"), Set.of(0));
    int most = 0;
    int unknown = 0;
    for (Figure figure : figures) {
      double[] forks = Estimate.of(figure).forks();
      double deviation = forks.length < Comparison.FEWEST ? Double.NaN : ForkPlan.deviation(forks);
      OptionalInt needed = OptionalInt.empty();
      if (Double.isFinite(deviation)) {
        needed = ForkPlan.forks(deviation, effect, figures.size());
        most = Math.max(most, needed.orElse(ForkPlan.MOST));
      } else {
        unknown++;
      }
      table.add(
          List.of(
              figure.title() + ", " + figure.metric(),
              Integer.toString(forks.length),
              Double.isFinite(deviation)
                  ? String.format(Locale.ROOT, "%.2f %%", deviation * 100)
                  : Quantity.NOTHING,
              needed.isPresent()
                  ? Integer.toString(needed.getAsInt())
                  : Double.isFinite(deviation) ? "over " + ForkPlan.MOST : Quantity.NOTHING));
    }
    return table.plain()
        + String.format(
            Locale.ROOT,
            "%nto find a change of %s %% of any one figure among %d in 9 of 10 comparisons: -f %d%n"
                + "the noise of a run of few forks is itself uncertain: with three, the number may"
                + " be wrong by a factor of two%n",
            Quantity.trimmed(effect * 100),
            figures.size(),
            Math.max(most, Comparison.FEWEST))
        + (unknown > 0
            ? unknown + " figures have fewer than two forks, so their noise is not known\n"
            : "");
  }
}
