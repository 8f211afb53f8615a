// SPDX-License-Identifier: Apache-2.0
package org.mitosis.report;

import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.Random;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.mitosis.OneJdk;
import org.mitosis.result.Estimate;
import org.mitosis.result.Run;
import org.mitosis.stats.Comparison;
import org.mitosis.stats.Correction;
import org.mitosis.stats.ForkPlan;
import org.mitosis.stats.Summary;

/**
 * How often a comparison of 100 figures is wrong, and how often it finds a change, with the noise
 * between forks of the committed run. Seeds are fixed: the same in each run of this test.
 */
@OneJdk
class VerdictSimulationTest {
  private static final int ROWS = 100;
  private static double[] deviations = {};

  @BeforeAll
  static void noiseOfTheCommittedRun() throws IOException {
    Path results = Path.of("..", "results");
    assumeTrue(Files.isDirectory(results), "SKIP noise: results/ is not beside this module");
    Optional<Path> packed;
    try (Stream<Path> files = Files.list(results)) {
      packed = files.filter(file -> file.toString().endsWith("-all.zip")).sorted().findFirst();
    }
    assumeTrue(packed.isPresent(), "SKIP noise: there is no packed run in results/");
    deviations =
        Run.read(packed.get()).figures().stream()
            .filter(figure -> !figure.isNote())
            .map(figure -> Estimate.of(figure).forks())
            .filter(forks -> forks.length == 3)
            .mapToDouble(ForkPlan::deviation)
            .filter(Double::isFinite)
            .toArray();
  }

  @ParameterizedTest
  @CsvSource({"3", "6", "10", "20"})
  void equalRunsHaveNoVerdictInNineteenOfTwenty(int forks) {
    Random random = new Random(forks);
    int runs = 2_000;
    int wrong = 0;
    for (int run = 0; run < runs; run++) {
      double[] noise = new double[ROWS];
      Arrays.setAll(noise, row -> deviations[random.nextInt(deviations.length)]);
      wrong += any(verdicts(random, forks, noise, new double[ROWS])) ? 1 : 0;
    }
    // At a rate of exactly 5 %, one of 20 simulations has more than 5 % and 1.645 standard errors,
    // which are sqrt(0.05 * 0.95 / 2000) = 0.49 %: 5.80 %.
    assertTrue(wrong <= runs * 0.05 + 1.645 * Math.sqrt(runs * 0.05 * 0.95), wrong + " of " + runs);
  }

  @Test
  void fivePercentAreFoundWithTwentyForksOfTypicalNoise() {
    double typical = Summary.of(deviations).median();
    Random random = new Random(5);
    double[] noise = new double[ROWS];
    Arrays.fill(noise, typical);
    double[] change = new double[ROWS];
    Arrays.fill(change, 0, 10, Math.log(1.05));
    int found = 0;
    int wrong = 0;
    int runs = 100;
    for (int run = 0; run < runs; run++) {
      boolean[] verdicts = verdicts(random, 20, noise, change);
      for (int row = 0; row < ROWS; row++) {
        found += verdicts[row] && row < 10 ? 1 : 0;
        wrong += verdicts[row] && row >= 10 ? 1 : 0;
      }
    }
    String text = found + " of " + 10 * runs + ", " + wrong + " wrong, noise " + typical;
    assertTrue(found >= 0.9 * 10 * runs, text);
    assertTrue(wrong <= 0.06 * (found + wrong), text);
  }

  @Test
  void aPlanFindsWhatItPromises() {
    double deviation = 0.03;
    int forks = ForkPlan.forks(deviation, 0.05, ROWS).orElseThrow();
    Random random = new Random(6);
    double[] noise = new double[ROWS];
    Arrays.fill(noise, deviation);
    double[] change = new double[ROWS];
    change[0] = Math.log(1.05);
    int found = 0;
    for (int run = 0; run < 300; run++) {
      found += verdicts(random, forks, noise, change)[0] ? 1 : 0;
    }
    assertTrue(found >= 255, found + " of 300 with " + forks + " forks");
  }

  private static boolean any(boolean[] verdicts) {
    return IntStream.range(0, verdicts.length).anyMatch(row -> verdicts[row]);
  }

  private static boolean[] verdicts(Random random, int forks, double[] noise, double[] change) {
    List<Comparison> rows =
        IntStream.range(0, ROWS)
            .mapToObj(
                row ->
                    Comparison.of(
                        forks(random, forks, noise[row], 0),
                        forks(random, forks, noise[row], change[row])))
            .toList();
    double[] adjusted =
        Correction.BENJAMINI_HOCHBERG.adjust(
            rows.stream().mapToDouble(Comparison::pValue).toArray());
    boolean[] verdicts = new boolean[ROWS];
    for (int row = 0; row < ROWS; row++) {
      verdicts[row] = rows.get(row).isDifferent(adjusted[row]);
    }
    return verdicts;
  }

  private static double[] forks(Random random, int count, double deviation, double level) {
    double[] forks = new double[count];
    Arrays.setAll(forks, i -> 1e6 * Math.exp(level + deviation * random.nextGaussian()));
    return forks;
  }
}
