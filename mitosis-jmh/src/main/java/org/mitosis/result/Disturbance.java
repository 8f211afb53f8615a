// SPDX-License-Identifier: Apache-2.0
package org.mitosis.result;

import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.stream.Collectors;

/** The mark of a row whose iterations lost time to the machine, by {@link Counters}. */
final class Disturbance {
  private Disturbance() {}

  /**
   * The mark of a figure; empty if it has none.
   *
   * @param all figures of its run
   */
  static String of(Figure figure, List<Figure> all) {
    List<String> found = new ArrayList<>();
    for (Figure other : all) {
      if (!other.metric().startsWith(Counters.PREFIX)
          || !other.benchmark().equals(figure.benchmark())
          || !other.params().equals(figure.params())) {
        continue;
      }
      double[] above =
          other.forks().stream()
              .flatMap(fork -> fork.points().stream())
              .mapToDouble(Figure.Point::value)
              .filter(percent -> percent > Counters.limit(other.metric()))
              .sorted()
              .toArray();
      if (above.length > 0) {
        found.add(
            String.format(
                Locale.ROOT,
                "%s in %d iteration%s, up to %.1f %%",
                Counters.words(other.metric()),
                above.length,
                above.length == 1 ? "" : "s",
                above[above.length - 1]));
      }
    }
    return found.stream().sorted().collect(Collectors.joining("; "));
  }
}
