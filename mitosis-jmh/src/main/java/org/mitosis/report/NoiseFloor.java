// SPDX-License-Identifier: Apache-2.0
package org.mitosis.report;

import java.util.List;
import org.mitosis.result.Estimate;
import org.mitosis.result.Figure;
import org.mitosis.result.Run;
import org.mitosis.stats.Summary;

/**
 * The noise floor of a run: {@code EmptyContainer.lean} for figures that include the start of a
 * child, {@code NilCall} for all other times. Differences below the noise floor are not reported.
 *
 * @param startupNs the quartile distance between forks that start empty containers, in ns; 0 if not
 *     measured
 * @param callNs the median of a call that does nothing, in ns; 0 if not measured
 */
public record NoiseFloor(double startupNs, double callNs) {
  /** Of the benchmarks of this run. */
  public static NoiseFloor of(Run run) {
    double startupNs = 0;
    double callNs = 0;
    for (Figure figure : run.figures()) {
      if (figure.unit().equals(Figure.NS)) {
        if (figure.shortName().equals("EmptyContainer.lean") && isStartup(figure)) {
          startupNs = Summary.of(Estimate.of(figure).forks()).range();
        } else if (List.of("NilCall.c", "NilCall.jna").contains(figure.shortName())) {
          callNs = Math.max(callNs, Estimate.of(figure).median());
        }
      }
    }
    return new NoiseFloor(startupNs, callNs);
  }

  /** The floor below a figure, in its unit; 0 if there is none. */
  public double below(Figure figure) {
    boolean isFloor =
        figure.className().equals("EmptyContainer") || figure.className().equals("NilCall");
    if (!figure.unit().equals(Figure.NS) || isFloor) {
      return 0;
    }
    return isStartup(figure) ? Math.max(startupNs, callNs) : callNs;
  }

  /** The larger of two, for a comparison. */
  public NoiseFloor or(NoiseFloor other) {
    return new NoiseFloor(Math.max(startupNs, other.startupNs), Math.max(callNs, other.callNs));
  }

  private static boolean isStartup(Figure figure) {
    return figure.metric().equals("startup") || figure.metric().equals("coldStart");
  }
}
