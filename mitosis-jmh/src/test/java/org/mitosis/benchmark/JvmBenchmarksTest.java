// SPDX-License-Identifier: Apache-2.0
package org.mitosis.benchmark;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.nio.file.Path;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.mitosis.Backend;
import org.mitosis.Mitosis;
import org.mitosis.fixture.RemoteJvm;
import org.mitosis.fixture.UserfaultfdRequirement;
import org.mitosis.setting.MissingPrerequisite;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.results.RunResult;
import org.openjdk.jmh.runner.RunnerException;
import org.openjdk.jmh.runner.options.ChainedOptionsBuilder;

/** Runs benchmarks of a JVM for a moment, with a small heap. */
@ExtendWith(ShortRun.BesideOthers.class)
class JvmBenchmarksTest {
  private static final List<String> STEPS =
      List.of("descriptor", "born", "files", "mapped", "go", "firstStatement", "lastResult");

  @TempDir Path directory;
  private ShortRun shortRun;

  @BeforeEach
  void inItsFolder() {
    shortRun = new ShortRun(directory);
  }

  @Test
  void aChildHasItsResultAndSoHaveFreshJvms() throws IOException, RunnerException {
    assumeUserBackend();
    Collection<RunResult> results =
        shortRun.run(
            options()
                .include("\\.FirstResult\\.jvm(|ColdStart|AppCds|Pool)$")
                .include("\\.(Execution|Memory|PrepareOverFork)\\.jvm$")
                .param("calls", "1")
                .param("children", "2")
                .param("transport", "tcp"));
    // However slow the machine is: a fresh JVM may take seconds.
    Map<String, Set<String>> found = new TreeMap<>();
    for (RunResult result : results) {
      Set<String> metrics = new TreeSet<>(result.getSecondaryResults().keySet());
      if (ShortRun.nameOf(result).equals("Memory.jvm")) {
        for (String area : List.of("heap", "metaspace", "codeCache", "stacks", "libraries")) {
          double pages = result.getSecondaryResults().get("childPages." + area).getScore();
          assertTrue(pages > 0, area + " of " + result.getSecondaryResults());
        }
      }
      if (ShortRun.nameOf(result).equals("Execution.jvm")) {
        double beforeUs = 0;
        for (String step : STEPS) {
          double us = result.getSecondaryResults().get("timeLine." + step).getScore();
          assertTrue(us >= beforeUs, step + " of " + result.getSecondaryResults());
          beforeUs = us;
        }
        assertTrue(beforeUs > 0, () -> "" + result.getSecondaryResults());
      }
      metrics.removeIf(name -> !name.matches("[A-Za-z]+"));
      found.put(ShortRun.nameOf(result), metrics);
      metrics.forEach(
          name -> assertTrue(result.getSecondaryResults().get(name).getScore() > 0, name));
    }
    assertEquals(
        Map.of(
            "Execution.jvm", Set.of("coldStart", "execution", "lastResult", "resume", "warm"),
            "FirstResult.jvm", Set.of("firstResult", "resume", "snapshotMemory"),
            "FirstResult.jvmAppCds", Set.of("firstResult"),
            "FirstResult.jvmColdStart", Set.of("firstResult"),
            "FirstResult.jvmPool", Set.of("firstResult", "idleMemory"),
            "Memory.jvm", Set.of("childMemory"),
            "PrepareOverFork.jvm", Set.of("fork", "prepare")),
        found);
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = ';',
      quoteCharacter = '"',
      value = {
        "javaFunction;goodbye;javaFunction must be one of helloworld, json, compression, aes,"
            + " pagerank, image, web, sql, got 'goodbye'",
        "collector;Epsilon;collector must be one of G1, Serial, Parallel, Shenandoah, Z, got"
            + " 'Epsilon'",
        "heap;much;heap must be the size of a Java heap, such as 128m, got 'much'"
      })
  void aWrongValueIsOneMessage(String parameter, String value, String message) {
    assertEquals(
        "org.mitosis.setting.MissingPrerequisite: " + message,
        shortRun
            .failure(options().include("\\.FirstResult\\.jvmColdStart$").param(parameter, value))
            .get(0));
  }

  @ParameterizedTest
  @CsvSource({"clone, local", "replica, tcp"})
  void aChildThatTheSnapshotForksHasItsResult(String mode, String transport)
      throws IOException, RunnerException {
    assumeUserBackend();
    Collection<RunResult> results =
        shortRun.run(
            options()
                .include("\\.FirstResult\\.jvm$")
                .param("resumeMode", mode)
                .param("transport", transport));
    assertEquals(1, results.size());
    results.forEach(
        result -> assertTrue(result.getSecondaryResults().get("firstResult").getScore() > 0, mode));
  }

  private static void assumeUserBackend() {
    UserfaultfdRequirement.assumeUserfaultfd();
    assumeTrue(
        Mitosis.availabilities().stream()
            .anyMatch(found -> found.backend() == Backend.USER && found.available()),
        "needs the user backend");
    try {
      RemoteJvm.requirePossible();
    } catch (MissingPrerequisite e) {
      assumeTrue(false, e::getMessage);
    }
  }

  private ChainedOptionsBuilder options() {
    return shortRun
        .options(Mode.SingleShotTime)
        .param("javaFunction", "helloworld")
        .param("heap", "32m")
        .param("collector", "Serial")
        .forks(0);
  }
}
