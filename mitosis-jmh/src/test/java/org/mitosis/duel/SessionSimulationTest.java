// SPDX-License-Identifier: Apache-2.0
package org.mitosis.duel;

import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.ArrayList;
import java.util.EnumMap;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.TreeMap;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.mitosis.OneJdk;
import org.mitosis.duel.Turn.Side;
import org.mitosis.stats.Comparison;
import org.mitosis.stats.Correction;
import org.mitosis.stats.Evidence;

/**
 * Equal versions on a machine that changes: with the order of a duel, and one after the other. The
 * seeds are fixed, so that the counts are the same in each run.
 */
@OneJdk
class SessionSimulationTest {
  private static final int ROWS = 30;
  private static final int FORKS = 10;
  private static final int COMPARISONS = 400;
  private static final double FORK_DEVIATION = 0.02;

  /** What the machine does to the time of a block, as a factor. */
  private interface Machine {
    double[] factors(int blocks, Random random);
  }

  /** A random walk: after the blocks of one version of two runs it has moved by some 2 %. */
  private static final Machine DRIFTING =
      (blocks, random) -> {
        double[] factors = new double[blocks];
        double level = 0;
        for (int i = 0; i < blocks; i++) {
          level += random.nextGaussian() * 0.02 / Math.sqrt(blocks / 2.0);
          factors[i] = Math.exp(level);
        }
        return factors;
      };

  /** A load of a tenth of the time, from block to block. */
  private static final Machine LOADED =
      (blocks, random) -> {
        double[] factors = new double[blocks];
        boolean loaded = false;
        for (int i = 0; i < blocks; i++) {
          loaded = random.nextDouble() < (loaded ? 0.9 : 0.05);
          factors[i] = loaded ? 1.3 : 1;
        }
        return factors;
      };

  /** The second block of a pair is slower: the first one has warmed the machine. */
  private static final Machine SECOND_IS_SLOWER =
      (blocks, random) -> {
        double[] factors = new double[blocks];
        for (int i = 0; i < blocks; i++) {
          factors[i] = i % 2 == 0 ? 1 : 1.03;
        }
        return factors;
      };

  @Test
  void aDriftMakesNoVerdictInTurnsButDoesOneAfterTheOther() {
    assertAtMostFivePercent(withVerdict(DRIFTING, this::inTurns));
    int separate = withVerdict(DRIFTING, this::oneAfterTheOther);
    assertTrue(separate > COMPARISONS / 4, separate + " of " + COMPARISONS);
  }

  @Test
  void aLoadMakesNoVerdict() {
    assertAtMostFivePercent(withVerdict(LOADED, this::inTurns));
  }

  @Test
  void whatIsSlowerInSecondPlaceMeetsBothVersions() {
    assertAtMostFivePercent(withVerdict(SECOND_IS_SLOWER, this::inTurns));
    int fixed = withVerdict(SECOND_IS_SLOWER, this::oldAlwaysFirst);
    assertTrue(fixed > COMPARISONS / 2, fixed + " of " + COMPARISONS);
  }

  @ParameterizedTest
  @ValueSource(doubles = {0.05, 0.1})
  void aDifferenceIsFoundOnADriftingMachine(double slower) {
    int found = 0;
    for (int seed = 0; seed < 50; seed++) {
      found += verdicts(inTurns(seed), DRIFTING, seed, 1 + slower);
    }
    assertTrue(found >= 0.9 * 50 * ROWS, found + " of " + 50 * ROWS);
  }

  /** With a confidence of 95 %: see {@link Evidence}. */
  private static void assertAtMostFivePercent(int withVerdict) {
    int most = Evidence.mostBelow(0.05, COMPARISONS);
    assertTrue(withVerdict <= most, withVerdict + " of " + COMPARISONS + ", at most " + most);
  }

  private interface Order {
    List<Turn> of(long seed);
  }

  private List<Turn> inTurns(long seed) {
    return Turn.order(seed, items(), FORKS);
  }

  private List<Turn> oneAfterTheOther(long seed) {
    List<Turn> turns = new ArrayList<>();
    for (Side side : Side.values()) {
      inTurns(seed).stream().filter(turn -> turn.side() == side).forEach(turns::add);
    }
    return turns;
  }

  private List<Turn> oldAlwaysFirst(long seed) {
    List<Turn> turns = new ArrayList<>();
    for (Turn turn : inTurns(seed)) {
      if (turn.side() == Side.OLD) {
        turns.add(turn);
        turns.add(new Turn(turn.round(), Side.NEW, turn.item()));
      }
    }
    return turns;
  }

  /** How many comparisons of equal versions have any verdict. */
  private static int withVerdict(Machine machine, Order order) {
    int any = 0;
    for (int seed = 0; seed < COMPARISONS; seed++) {
      any += verdicts(order.of(seed), machine, seed, 1) > 0 ? 1 : 0;
    }
    return any;
  }

  private static int verdicts(List<Turn> turns, Machine machine, long seed, double ofNew) {
    Random random = new Random(1_000_003L * seed + 17);
    double[] factors = machine.factors(turns.size(), random);
    Map<Item, Map<Side, List<Double>>> times = new HashMap<>();
    for (int i = 0; i < turns.size(); i++) {
      Turn turn = turns.get(i);
      double noise = Math.exp(random.nextGaussian() * FORK_DEVIATION);
      times
          .computeIfAbsent(turn.item(), any -> new EnumMap<>(Side.class))
          .computeIfAbsent(turn.side(), any -> new ArrayList<>())
          .add(100 * factors[i] * noise * (turn.side() == Side.NEW ? ofNew : 1));
    }
    List<Comparison> comparisons =
        times.values().stream()
            .map(sides -> Comparison.of(values(sides, Side.OLD), values(sides, Side.NEW)))
            .toList();
    double[] adjusted =
        Correction.BENJAMINI_HOCHBERG.adjust(
            comparisons.stream().mapToDouble(Comparison::pValue).toArray());
    int different = 0;
    for (int i = 0; i < adjusted.length; i++) {
      different += comparisons.get(i).isDifferent(adjusted[i]) ? 1 : 0;
    }
    return different;
  }

  private static double[] values(Map<Side, List<Double>> sides, Side side) {
    return sides.get(side).stream().mapToDouble(Double::doubleValue).toArray();
  }

  private static List<Item> items() {
    List<Item> items = new ArrayList<>();
    for (int i = 0; i < ROWS; i++) {
      items.add(new Item("org.a.B.m", new TreeMap<>(Map.of("n", Integer.toString(i)))));
    }
    return items;
  }
}
