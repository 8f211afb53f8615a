// SPDX-License-Identifier: Apache-2.0
package org.mitosis.stats;

import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Random;
import java.util.function.UnaryOperator;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.mitosis.OneJdk;
import org.mitosis.stats.SteadyState.Label;

/**
 * How often steady states are found where they are, and not found where they are not: in simulated
 * series with fixed seeds, and in published series if {@link LabelledSeries#PROPERTY} is given.
 */
@OneJdk
class SteadyStateSimulationTest {
  /** Values of all series of a simulation together. */
  private static final int VALUES = 100_000;

  @ParameterizedTest(name = "{0} values, correlation {1}, deviation {2}")
  @CsvSource({
    "10, 0, 0.01",
    "25, 0, 0.03",
    "50, 0, 0.03",
    "160, 0, 0.1",
    "10, 0.5, 0.01",
    "10, 0.5, 0.1",
    "25, 0.5, 0.01",
    "25, 0.5, 0.1",
    "50, 0.5, 0.03",
    "160, 0.5, 0.01",
    "160, 0.5, 0.1"
  })
  void noiseIsFlat(int length, double correlation, double deviation) {
    assertShare(0.9, Label.FLAT, length, correlation, deviation, UnaryOperator.identity());
  }

  /** In noise of 3 %, five values of a warm-up are not always enough. */
  @ParameterizedTest(name = "the first {0} of 25, deviation {1}, correlation {2}")
  @CsvSource({
    "3, 0.01, 0, 0.9",
    "5, 0.01, 0, 0.9",
    "10, 0.01, 0, 0.9",
    "3, 0.02, 0, 0.9",
    "5, 0.02, 0, 0.9",
    "10, 0.02, 0, 0.9",
    "5, 0.02, 0.5, 0.9",
    "10, 0.03, 0, 0.9",
    "5, 0.03, 0, 0.85"
  })
  void aWarmUpOfTenPercentIsFound(int slow, double deviation, double correlation, double least) {
    assertShare(
        least,
        Label.WARM_UP,
        25,
        correlation,
        deviation,
        times -> {
          for (int i = 0; i < slow; i++) {
            times[i] *= 1.1;
          }
          return times;
        });
  }

  @ParameterizedTest
  @CsvSource({"25", "50", "160"})
  void aWarmUpThatDecaysIsFound(int length) {
    assertShare(
        0.9,
        Label.WARM_UP,
        length,
        0,
        0.02,
        times -> {
          Arrays.setAll(times, i -> times[i] * (1 + 0.5 * Math.exp(-i / 3.0)));
          return times;
        });
  }

  @ParameterizedTest
  @CsvSource({"25", "50", "160"})
  void aChangeShortBeforeTheEndIsNoSteadyState(int length) {
    assertShare(
        0.9,
        Label.NONE,
        length,
        0,
        0.02,
        times -> {
          Arrays.setAll(times, i -> times[i] * (i >= length * 0.85 ? 1.1 : 1));
          return times;
        });
  }

  /** Each series counts by the share of its windows that are called flat. */
  @Test
  void windowsOfPublishedSteadyPartsAreFlat() throws IOException {
    List<LabelledSeries> all = LabelledSeries.all();
    for (int length : new int[] {25, 50, 160}) {
      double share =
          all.stream()
              .map(series -> series.steadyWindows(length))
              .filter(windows -> !windows.isEmpty())
              .mapToDouble(
                  windows ->
                      windows.stream()
                          .mapToDouble(
                              window -> SteadyState.of(window).label() == Label.FLAT ? 1 : 0)
                          .average()
                          .orElseThrow())
              .average()
              .orElseThrow();
      System.out.printf(Locale.ROOT, "%d values: %.1f %% flat%n", length, share * 100);
      assertTrue(share >= 0.8, length + " values: " + share);
    }
  }

  private static void assertShare(
      double least,
      Label label,
      int length,
      double correlation,
      double deviation,
      UnaryOperator<double[]> change) {
    Random random = new Random(length);
    int found = 0;
    int count = VALUES / length;
    for (int i = 0; i < count; i++) {
      double[] times = change.apply(noise(random, length, correlation, deviation));
      found += SteadyState.of(times).label() == label ? 1 : 0;
    }
    assertTrue(found >= count * least, found + " of " + count + " are " + label);
  }

  /** Around 1, each value correlated with the one before. */
  private static double[] noise(Random random, int length, double correlation, double deviation) {
    double[] times = new double[length];
    double noise = random.nextGaussian();
    for (int i = 0; i < length; i++) {
      times[i] = 1 + deviation * noise;
      noise =
          correlation * noise + Math.sqrt(1 - correlation * correlation) * random.nextGaussian();
    }
    return times;
  }
}
