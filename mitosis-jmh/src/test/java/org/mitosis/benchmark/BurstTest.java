// SPDX-License-Identifier: Apache-2.0
package org.mitosis.benchmark;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.mitosis.fixture.LinkTraffic;
import org.mitosis.fixture.UserfaultfdRequirement;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.results.RunResult;
import org.openjdk.jmh.runner.RunnerException;

@ExtendWith(ShortRun.BesideOthers.class)
class BurstTest {
  private static final int CHILDREN = 7;

  @TempDir Path directory;

  @Test
  void childrenAreSharedEvenly() {
    assertEquals(List.of(3, 2, 2), Burst.shares(7, 3));
    assertEquals(List.of(1, 1), Burst.shares(2, 5));
    assertEquals(List.of(1000), Burst.shares(1000, 1));
  }

  /**
   * Of 1 MiB, which each child reads, on two machines. What the first child of a machine needs,
   * later ones may find there in mode lazy, too, as long as that is little.
   */
  @ParameterizedTest
  @CsvSource({"lazy, recorded, 14", "replica, recorded, 6", "replica, all, 10"})
  void eachMachineFetchesTheWorkingSet(String mode, String fill, int most)
      throws IOException, RunnerException {
    UserfaultfdRequirement.assumeUserfaultfd();
    RunResult result = run(mode, fill, "flat", "tcp", 2);
    double seconds = result.getSecondaryResults().get("lastResult").getScore() / 1000;
    double rate = result.getSecondaryResults().get("burst").getScore();
    assertEquals(CHILDREN, rate * seconds, 0.01);
    double held = result.getSecondaryResults().get("childMemory").getScore();
    // What children of a replica have read they share with it and each other.
    assertTrue(mode.equals("lazy") ? held >= 1 : held > 0 && held < 1, "MiB: " + held);
    assumeTrue(LinkTraffic.obstacle().isEmpty(), LinkTraffic::obstacle);
    double link = result.getSecondaryResults().get("linkBytes").getScore();
    assertTrue(link >= 2 && link < most, "MiB: " + link);
    assertTrue(result.getSecondaryResults().containsKey("untilSent"));
  }

  @Test
  void thereIsNoLinkOnOneMachine() throws IOException, RunnerException {
    UserfaultfdRequirement.assumeUserfaultfd();
    Set<String> metrics =
        new TreeSet<>(run("clone", "recorded", "flat", "local", 1).getSecondaryResults().keySet());
    metrics.removeIf(metric -> metric.startsWith("machine."));
    assertEquals(
        Set.of(
            "burst",
            "childMemory",
            "childMemory.1",
            "childMemory.2",
            "lastInstruction",
            "lastResult",
            "untilInstruction",
            "untilResult"),
        metrics);
  }

  /** Of three machines in a chain, the parent's link carries the working set once. */
  @Test
  void aTreeSparesTheParentsLink() throws IOException, RunnerException {
    UserfaultfdRequirement.assumeUserfaultfd();
    assumeTrue(LinkTraffic.obstacle().isEmpty(), LinkTraffic::obstacle);
    RunResult result = run("replica", "recorded", "tree:1", "tcp", 3);
    double link = result.getSecondaryResults().get("linkBytes").getScore();
    assertTrue(link >= 1 && link < 3, "MiB: " + link);
  }

  private RunResult run(String mode, String fill, String fanout, String transport, int machines)
      throws IOException, RunnerException {
    ShortRun shortRun = new ShortRun(directory);
    return shortRun
        .run(
            shortRun
                .options(Mode.SingleShotTime)
                .include("\\.Burst\\.workingSet$")
                .param("transport", transport)
                .param("resumeMode", mode)
                .param("replicaFill", fill)
                .param("fanout", fanout)
                .param("children", Integer.toString(CHILDREN))
                .param("childMachines", Integer.toString(machines))
                .param("loops", "1")
                .param("held", "2")
                .measurementIterations(1)
                .forks(0))
        .iterator()
        .next();
  }
}
