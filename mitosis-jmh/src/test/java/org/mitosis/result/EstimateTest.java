// SPDX-License-Identifier: Apache-2.0
package org.mitosis.result;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.mitosis.stats.Interval;
import org.mitosis.stats.SteadyState.Label;
import org.mitosis.stats.ValueCounts;

class EstimateTest {
  @Test
  void eachForkCountsOnceHoweverManySamplesItHas() {
    Estimate estimate =
        Estimate.of(figure("ns", List.of(10.0, 10.0, 10.0, 10.0), List.of(20.0), List.of(30.0)));
    assertEquals(20, estimate.median());
    assertEquals(Optional.of(new Interval(10, 30, 0.75)), estimate.interval());
    assertEquals(10, estimate.summary().median(), "of all samples");
    assertEquals("too short", estimate.steadyLabels());
    assertTrue(estimate.allSamples().isEmpty());
  }

  @Test
  void whatCameBeforeTheSteadyPartIsLeftOut() {
    List<Double> warmingUp = new ArrayList<>();
    for (int i = 0; i < 30; i++) {
      warmingUp.add((i < 6 ? 500.0 : 100.0) + i % 3);
    }
    Estimate estimate = Estimate.of(figure("ns", warmingUp));
    assertEquals(Label.WARM_UP, estimate.steady().get(0).label());
    assertEquals(6, estimate.steady().get(0).from());
    assertEquals(24, estimate.summary().count());
    assertEquals(102, estimate.summary().max());
    assertTrue(estimate.interval().isEmpty(), "one fork");
  }

  @Test
  void aRateThatRisesWarmsUp() {
    List<Double> rising = new ArrayList<>();
    for (int i = 0; i < 30; i++) {
      rising.add((i < 6 ? 100.0 : 500.0) + i % 3);
    }
    assertEquals(Label.WARM_UP, Estimate.of(figure("ops/s", rising)).steady().get(0).label());
  }

  @Test
  void fewerThanFiveSamplesOfAForkAreFewButScoresNeverAre() {
    assertFalse(Estimate.of(figure("ops/s", List.of(1.0))).fewSamples());
    assertTrue(Estimate.of(sampled(4)).fewSamples());
    assertFalse(Estimate.of(sampled(5)).fewSamples());
  }

  private static Figure sampled(int samples) {
    ValueCounts.Builder builder = new ValueCounts.Builder();
    builder.add(100, samples);
    Figure.Point point = new Figure.Point(1, 0, 1, 100, builder.build());
    return new Figure(
        "a.B.c", Map.of(), "prepare", "ns", List.of(new Figure.Fork(1, List.of(point))));
  }

  @SafeVarargs
  private static Figure figure(String unit, List<Double>... forks) {
    List<Figure.Fork> all = new ArrayList<>();
    for (List<Double> values : forks) {
      List<Figure.Point> points = new ArrayList<>();
      for (double value : values) {
        points.add(new Figure.Point(points.size() + 1, 0, 0, value, null));
      }
      all.add(new Figure.Fork(all.size() + 1, points));
    }
    return new Figure("a.B.c", Map.of(), "prepare", unit, all);
  }
}
