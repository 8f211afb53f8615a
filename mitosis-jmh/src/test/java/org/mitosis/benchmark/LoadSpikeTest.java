// SPDX-License-Identifier: Apache-2.0
package org.mitosis.benchmark;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.abort;

import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.mitosis.fixture.Criu;
import org.mitosis.fixture.PythonFunctionTest;
import org.mitosis.fixture.UserfaultfdRequirement;
import org.mitosis.setting.MissingPrerequisite;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.results.RunResult;
import org.openjdk.jmh.runner.RunnerException;

@ExtendWith(ShortRun.BesideOthers.class)
class LoadSpikeTest {
  @TempDir Path directory;

  @Test
  void launchersTakeArrivalsInTurns() {
    assertEquals(
        List.of(List.of(1L, 3L, 5L), List.of(2L, 4L)),
        LoadSpike.shares(List.of(1L, 2L, 3L, 4L, 5L), 2));
    assertEquals(List.of(List.of(1L)), LoadSpike.shares(List.of(1L), 2));
  }

  /** One second of the trace, which has 20 arrivals. */
  @ParameterizedTest
  @CsvSource({"workingSet, tcp", "coldStart, local", "criu, local"})
  void eachRequestIsStartedOrLost(String method, String transport)
      throws IOException, RunnerException {
    UserfaultfdRequirement.assumeUserfaultfd();
    PythonFunctionTest.assumePython();
    if (method.equals("criu")) {
      assumeCriu();
    }
    ShortRun shortRun = new ShortRun(directory);
    RunResult result =
        shortRun
            .run(
                shortRun
                    .options(Mode.SingleShotTime)
                    .include("\\.LoadSpike\\." + method + "$")
                    .param("transport", transport)
                    .param("count", "1")
                    .param("loops", "2")
                    .measurementIterations(1)
                    .forks(0))
            .iterator()
            .next();
    assertEquals(20, value(result, "offered"));
    assertEquals(20, value(result, "started") + value(result, "lost"));
    assertTrue(value(result, "late") <= value(result, "started"));
    assertTrue(value(result, "startup") > 0);
  }

  private static void assumeCriu() {
    try {
      Criu.requireWorking();
    } catch (MissingPrerequisite e) {
      abort("needs " + e.getMessage());
    }
  }

  private static double value(RunResult result, String metric) {
    return result.getSecondaryResults().get(metric).getScore();
  }
}
