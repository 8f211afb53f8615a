// SPDX-License-Identifier: Apache-2.0
package org.mitosis.stats;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.List;
import java.util.SplittableRandom;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

class ChangePointsTest {
  /** Yearly volume of the Nile at Aswan, 1871 to 1970, in 10^8 m³ (Cobb, Biometrika 1978). */
  private static final double[] NILE = {
    1120, 1160, 963, 1210, 1160, 1160, 813, 1230, 1370, 1140, 995, 935, 1110, 994, 1020, 960, 1180,
    799, 958, 1140, 1100, 1210, 1150, 1250, 1260, 1220, 1030, 1100, 774, 840, 874, 694, 940, 833,
    701, 916, 692, 1020, 1050, 969, 831, 726, 456, 824, 702, 1120, 1100, 832, 764, 821, 768, 845,
    864, 862, 698, 845, 744, 796, 1040, 759, 781, 865, 845, 944, 984, 897, 822, 1010, 771, 676, 649,
    846, 812, 742, 801, 1040, 860, 874, 848, 890, 744, 749, 838, 1050, 918, 986, 797, 923, 975, 815,
    1020, 906, 901, 1170, 912, 746, 919, 718, 714, 740
  };

  @Test
  void theNileChangedAfter1898AsIsWellKnown() {
    assertEquals(List.of(28), ChangePoints.of(NILE));
  }

  @Test
  void aSeriesThatStaysHasNone() {
    assertEquals(List.of(), ChangePoints.of(5, 6, 5, 6, 5, 6, 5, 6));
    assertEquals(List.of(), ChangePoints.of(7, 7, 7, 7, 7, 7, 7, 7));
    assertEquals(List.of(), ChangePoints.of());
    assertEquals(List.of(), ChangePoints.of(1, 100, 1));
  }

  @Test
  void eachStepIsFoundWhereItIs() {
    assertEquals(
        List.of(5, 9),
        ChangePoints.of(10, 11, 10, 11, 10, 20, 21, 20, 21, 15, 14, 15, 14, 15, 14, 15));
  }

  @Test
  void onePauseIsNoChange() {
    double[] series = IntStream.range(0, 30).mapToDouble(i -> 100 + i % 3).toArray();
    series[14] = 100_000;
    series[29] = 100_000;
    assertEquals(List.of(), ChangePoints.of(series));
  }

  @Test
  void noiseAloneHardlyEverChanges() {
    SplittableRandom random = new SplittableRandom(1);
    int withChange = 0;
    for (int series = 0; series < 1000; series++) {
      double[] noise = IntStream.range(0, 50).mapToDouble(i -> gaussian(random)).toArray();
      withChange += ChangePoints.of(noise).isEmpty() ? 0 : 1;
    }
    assertTrue(withChange <= 20, withChange + " of 1000");
  }

  @Test
  void aStepOfTwoDeviationsIsHardlyEverMissed() {
    SplittableRandom random = new SplittableRandom(2);
    int found = 0;
    for (int series = 0; series < 200; series++) {
      double[] step =
          IntStream.range(0, 50).mapToDouble(i -> gaussian(random) + (i < 20 ? 2 : 0)).toArray();
      List<Integer> changes = ChangePoints.of(step);
      found += changes.size() == 1 && Math.abs(changes.get(0) - 20) <= 3 ? 1 : 0;
    }
    assertTrue(found >= 180, found + " of 200");
  }

  /** Of mean 0 and variance 1: twelve uniform numbers. */
  private static double gaussian(SplittableRandom random) {
    return random.doubles(12).sum() - 6;
  }
}
