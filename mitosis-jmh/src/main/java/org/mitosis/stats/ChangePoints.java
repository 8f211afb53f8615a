// SPDX-License-Identifier: Apache-2.0
package org.mitosis.stats;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/**
 * The positions at which the level of a series changes.
 *
 * <p>For each number of changes, the partition into segments with the least sum of squares around
 * their means is computed (segment neighbourhood: Auger and Lawrence, 1989). Among these, the one
 * with the least {@code n ln(s²) +} {@value #PENALTY} {@code k ln(n)} is taken, where k is the
 * number of changes and s² the variance of what a first-order autoregression leaves of the
 * residuals. Iterations that follow each other are alike: a cost that takes them as independent
 * finds changes in most series of real benchmarks. The autocorrelation is limited to {@value
 * #LARGEST_CORRELATION}, because a larger one explains a gradual warm-up as noise.
 *
 * <p>The first segment may be short, as warm-up is. A shift in the middle must last a fifth of the
 * series, one at the end an eighth. A value further than {@value #CLAMP} deviations from the median
 * of its neighbours is clamped to that distance, so that a single pause is not a change.
 *
 * <p>Takes time in proportion to the square of the length: a thousand values take milliseconds.
 */
public final class ChangePoints {
  /** On noise alone, hardly one series in fifty gets a change. */
  static final double PENALTY = 4;

  /** The largest correlation of neighbours that counts as noise. */
  static final double LARGEST_CORRELATION = 0.6;

  /** Deviations of the noise. */
  static final double CLAMP = 4;

  /** The fewest values of a segment. */
  static final int SHORTEST = 3;

  private static final int PARTS_IN_THE_MIDDLE = 5;
  private static final int PARTS_AT_THE_END = 8;
  private static final int NEIGHBOURS = 3;
  private static final double DEVIATION_PER_MEDIAN = 1.4826;

  /** Noise below this share of the level is not measured: a clock may be coarse. */
  private static final double LEAST_NOISE = 1e-4;

  private ChangePoints() {}

  /**
   * The first index of each segment, without the 0 of the first one: empty if nothing changes.
   *
   * @param series in the order in which the values were taken
   */
  public static List<Integer> of(double... series) {
    int n = series.length;
    if (n < 2 * SHORTEST) {
      return List.of();
    }
    double[] values = clamped(series, noise(series));
    double leastDeviation = Math.abs(Summary.of(series).median()) * LEAST_NOISE;
    double leastVariance = Math.max(leastDeviation * leastDeviation, Double.MIN_NORMAL);
    List<Integer> best = List.of();
    double least = Double.POSITIVE_INFINITY;
    for (List<Integer> changes : partitions(values)) {
      double variance = Math.max(unexplained(residuals(values, changes)), leastVariance);
      double cost = n * Math.log(variance) + changes.size() * PENALTY * Math.log(n);
      if (cost < least) {
        least = cost;
        best = changes;
      }
    }
    return best;
  }

  /** Standard deviation of the noise: differences of neighbours have twice its variance. */
  private static double noise(double[] series) {
    double[] differences = new double[series.length - 1];
    for (int i = 0; i < differences.length; i++) {
      differences[i] = Math.abs(series[i + 1] - series[i]);
    }
    return DEVIATION_PER_MEDIAN * Summary.of(differences).median() / Math.sqrt(2);
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

  /** The best partition for each number of changes from 0, as far as segments are long enough. */
  private static List<List<Integer>> partitions(double[] values) {
    int n = values.length;
    int inTheMiddle = Math.max(SHORTEST, n / PARTS_IN_THE_MIDDLE);
    int atTheEnd = Math.max(SHORTEST, n / PARTS_AT_THE_END);
    SquaresAroundMean cost = new SquaresAroundMean(values);
    List<List<Integer>> partitions = new ArrayList<>(List.of(List.of()));
    List<int[]> lastChanges = new ArrayList<>();
    double[] fewer = new double[n + 1];
    Arrays.fill(fewer, Double.POSITIVE_INFINITY);
    for (int end = SHORTEST; end <= n; end++) {
      fewer[end] = cost.of(0, end);
    }
    while (true) {
      double[] least = new double[n + 1];
      int[] lastChange = new int[n + 1];
      Arrays.fill(least, Double.POSITIVE_INFINITY);
      for (int end = 2 * SHORTEST; end <= n; end++) {
        int latest = end - (end == n ? atTheEnd : inTheMiddle);
        for (int from = SHORTEST; from <= latest; from++) {
          double total = fewer[from] + cost.of(from, end);
          if (total < least[end]) {
            least[end] = total;
            lastChange[end] = from;
          }
        }
      }
      if (least[n] == Double.POSITIVE_INFINITY) {
        return partitions;
      }
      lastChanges.add(lastChange);
      partitions.add(traced(lastChanges, n));
      fewer = least;
    }
  }

  private static List<Integer> traced(List<int[]> lastChanges, int n) {
    List<Integer> changes = new ArrayList<>();
    int end = n;
    for (int k = lastChanges.size() - 1; k >= 0; k--) {
      end = lastChanges.get(k)[end];
      changes.add(0, end);
    }
    return List.copyOf(changes);
  }

  private static double[] residuals(double[] values, List<Integer> changes) {
    double[] residuals = new double[values.length];
    int from = 0;
    for (int k = 0; k <= changes.size(); k++) {
      int to = k < changes.size() ? changes.get(k) : values.length;
      double mean = Arrays.stream(values, from, to).average().orElseThrow();
      for (int i = from; i < to; i++) {
        residuals[i] = values[i] - mean;
      }
      from = to;
    }
    return residuals;
  }

  /** The variance that is left when each residual is predicted from the one before. */
  private static double unexplained(double[] residuals) {
    double products = 0;
    double squares = residuals[0] * residuals[0];
    for (int i = 1; i < residuals.length; i++) {
      products += residuals[i] * residuals[i - 1];
      squares += residuals[i] * residuals[i];
    }
    double correlation =
        squares > 0 ? Math.max(0, Math.min(LARGEST_CORRELATION, products / squares)) : 0;
    double left = residuals[0] * residuals[0] * (1 - correlation * correlation);
    for (int i = 1; i < residuals.length; i++) {
      double difference = residuals[i] - correlation * residuals[i - 1];
      left += difference * difference;
    }
    return left / residuals.length;
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
