// SPDX-License-Identifier: Apache-2.0
package org.mitosis.stats;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/**
 * The positions at which the level of a series changes: the partition into segments of least cost
 * (Jackson et al.: An algorithm for optimal partitioning of data on an interval, 2005; PELT is the
 * same with a shortcut for long series).
 *
 * <p>The cost of a segment is its sum of squares around its mean, the penalty of a change {@value
 * #PENALTY} ln(n) variances of the noise. The noise is estimated from the differences of
 * neighbours, which a change of level hardly affects, by their median, which outliers hardly
 * affect. A value further than {@value #CLAMP} deviations from the median of its neighbours is
 * clamped to that distance, so that a single pause is not a change.
 *
 * <p>Takes time in proportion to the square of the length: a thousand values take milliseconds.
 */
public final class ChangePoints {
  /** On noise alone, hardly one series in fifty gets a change. */
  static final double PENALTY = 4;

  /** Deviations of the noise. */
  static final double CLAMP = 4;

  /** The fewest values between two changes. */
  static final int SHORTEST = 3;

  private static final int NEIGHBOURS = 3;
  private static final double DEVIATION_PER_MEDIAN = 1.4826;

  private ChangePoints() {}

  /**
   * The first index of each segment, without the 0 of the first one: empty if nothing changes.
   *
   * @param series in the order in which the values were taken
   */
  public static List<Integer> of(double... series) {
    int n = series.length;
    double deviation = noise(series);
    if (n < 2 * SHORTEST) {
      return List.of();
    }
    double[] values = clamped(series, deviation);
    // With a coarse clock all values but one may be equal: any difference is then a change.
    double variance = Math.max(deviation * deviation, Double.MIN_NORMAL);
    return partition(values, PENALTY * Math.log(n) * variance);
  }

  /** Standard deviation of the noise: differences of neighbours have twice its variance. */
  private static double noise(double[] series) {
    double[] differences = new double[Math.max(0, series.length - 1)];
    for (int i = 0; i < differences.length; i++) {
      differences[i] = Math.abs(series[i + 1] - series[i]);
    }
    return differences.length == 0
        ? 0
        : DEVIATION_PER_MEDIAN * Summary.of(differences).median() / Math.sqrt(2);
  }

  private static double[] clamped(double[] series, double deviation) {
    double[] values = series.clone();
    for (int i = 0; i < series.length; i++) {
      int from = Math.max(0, i - NEIGHBOURS);
      int to = Math.min(series.length, i + NEIGHBOURS + 1);
      double around = Summary.of(Arrays.copyOfRange(series, from, to)).median();
      values[i] =
          Math.max(around - CLAMP * deviation, Math.min(around + CLAMP * deviation, series[i]));
    }
    return values;
  }

  private static List<Integer> partition(double[] values, double penalty) {
    int n = values.length;
    SquaresAroundMean cost = new SquaresAroundMean(values);
    double[] best = new double[n + 1];
    int[] lastChange = new int[n + 1];
    Arrays.fill(best, Double.POSITIVE_INFINITY);
    best[0] = -penalty;
    for (int end = SHORTEST; end <= n; end++) {
      for (int from = 0; from <= end - SHORTEST; from++) {
        double total = best[from] + cost.of(from, end) + penalty;
        if (total < best[end]) {
          best[end] = total;
          lastChange[end] = from;
        }
      }
    }
    List<Integer> changes = new ArrayList<>();
    for (int at = lastChange[n]; at > 0; at = lastChange[at]) {
      changes.add(0, at);
    }
    return List.copyOf(changes);
  }

  /** The cost of any segment in constant time, from prefix sums. */
  private static final class SquaresAroundMean {
    private final double[] sums;
    private final double[] squares;

    SquaresAroundMean(double[] values) {
      // Around the median, so that the difference of the squares loses few digits.
      double centre = Summary.of(values).median();
      sums = new double[values.length + 1];
      squares = new double[values.length + 1];
      for (int i = 0; i < values.length; i++) {
        double value = values[i] - centre;
        sums[i + 1] = sums[i] + value;
        squares[i + 1] = squares[i] + value * value;
      }
    }

    double of(int from, int to) {
      double sum = sums[to] - sums[from];
      return Math.max(0, squares[to] - squares[from] - sum * sum / (to - from));
    }
  }
}
