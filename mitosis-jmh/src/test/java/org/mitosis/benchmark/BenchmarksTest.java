// SPDX-License-Identifier: Apache-2.0
package org.mitosis.benchmark;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Path;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.mitosis.fixture.PythonFunctionTest;
import org.mitosis.fixture.UserfaultfdRight;
import org.mitosis.result.HistogramLog;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.results.Result;
import org.openjdk.jmh.results.RunResult;
import org.openjdk.jmh.runner.RunnerException;
import org.openjdk.jmh.runner.options.ChainedOptionsBuilder;
import org.openjdk.jmh.runner.options.TimeValue;

/**
 * Runs every benchmark of one process for a moment, as an IDE would, and looks for its self-timed
 * figures.
 */
@ExtendWith(ShortRun.BesideOthers.class)
class BenchmarksTest {
  private static final String UFFD_COPY = "Baseline.uffdCopy";

  /** Its benchmarks are tested by DumpedProcessTest, where CRIU works. */
  private static final String OF_CRIU = "\\.BaselineCriu\\.";

  /** These need a device; the rig's stage rdma has one. */
  private static final String OF_RDMA = "\\.BaselineRdma\\.";

  /** JvmBenchmarksTest has it. */
  private static final String OF_A_WARM_JVM = "\\.PrepareOverFork\\.jvm$";

  private static final Map<String, Set<String>> METRICS_OF_BENCHMARK =
      new TreeMap<>(
          Map.ofEntries(
              Map.entry("Baseline.coldStart", Set.of("coldStart")),
              Map.entry("Baseline.fork", Set.of("fork")),
              Map.entry("Baseline.jvmStart", Set.of("jvmStart")),
              Map.entry("Baseline.pythonFork", Set.of("firstResult", "startup")),
              Map.entry("Baseline.spawn", Set.of("spawn")),
              Map.entry("Baseline.tcpCopy", Set.of("tcpCopy")),
              Map.entry(UFFD_COPY, Set.of("uffdCopy")),
              Map.entry("ForkPrepare.function", Set.of("prepare")),
              Map.entry("ForkPrepare.jvm", Set.of("prepare")),
              Map.entry("ForkPrepare.threads", Set.of("fork", "pause", "prepare")),
              Map.entry("ForkPrepare.workingSet", Set.of("prepare")),
              Map.entry("HarnessOverhead.alone", Set.of("prepare")),
              Map.entry("HarnessOverhead.driven", Set.of("prepare")),
              Map.entry("HarnessOverhead.turnByTurn", Set.of("alone", "driven")),
              Map.entry("NilCall.c", Set.of("nil")),
              Map.entry("NilCall.jna", Set.of()),
              Map.entry("PrepareOverFork.function", Set.of("fork", "prepare")),
              Map.entry("PrepareOverFork.turnByTurn", Set.of("fork", "prepare"))));

  @TempDir Path directory;
  private ShortRun shortRun;

  @BeforeEach
  void inItsFolder() {
    shortRun = new ShortRun(directory);
  }

  @BeforeAll
  static void needsPython() {
    PythonFunctionTest.assumePython();
  }

  @ParameterizedTest
  @MethodSource("modes")
  void inAForkedJvm(Mode mode) throws IOException, RunnerException {
    assertMetrics(1, shortRun.run(options(mode).forks(1)));
  }

  @Test
  void insideThisJvm() throws IOException, RunnerException {
    assertMetrics(0, shortRun.runHere(options(Mode.AverageTime)));
  }

  @Test
  void everyForkAndIterationCounts() throws IOException, RunnerException {
    Collection<RunResult> results =
        shortRun.run(
            options(Mode.SingleShotTime)
                .include("\\.ForkPrepare\\.workingSet$")
                .warmupIterations(1)
                .measurementIterations(3)
                .forks(2));
    assertEquals(1, results.size());
    Result<?> prepare = results.iterator().next().getSecondaryResults().get("prepare");
    assertEquals(2 * 3, prepare.getSampleCount());
    List<HistogramLog.Series> merged = shortRun.samples().overForks();
    assertEquals(1, merged.size());
    assertEquals(2 * 3, merged.get(0).samples().total(), "no sample of the warm-up");
    double meanNs =
        IntStream.range(0, 6)
            .mapToLong(i -> merged.get(0).samples().atPercentile((i + 0.5) * 100 / 6))
            .average()
            .orElseThrow();
    assertEquals(prepare.getScore() * 1000, meanNs, prepare.getScore() * 2);
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "ForkPrepare.workingSet",
        "ForkPrepare.jvm",
        "Baseline.fork",
        "PrepareOverFork.turnByTurn",
        "HarnessOverhead.alone"
      })
  void aMissingPrerequisiteIsOneSentence(String benchmark) {
    List<String> told =
        shortRun.failure(
            options(Mode.SingleShotTime)
                .include("\\." + benchmark + "$")
                .param("memorySize", "4097")
                .forks(1));
    assertEquals(
        "org.mitosis.setting.MissingPrerequisite:"
            + " memorySize '4097' is not a multiple of the page size of 4096 bytes",
        told.get(0));
    assertFalse(told.stream().anyMatch(line -> line.startsWith("\tat ")), told::toString);
  }

  static Stream<Mode> modes() {
    return Stream.of(Mode.Throughput, Mode.AverageTime, Mode.SampleTime, Mode.SingleShotTime);
  }

  /**
   * Without the right to use userfaultfd there is one benchmark less: RemoteBenchmarksTest says.
   */
  private static Map<String, Set<String>> expectedMetrics() {
    Map<String, Set<String>> expected = new TreeMap<>(METRICS_OF_BENCHMARK);
    if (!UserfaultfdRight.read().allowed()) {
      expected.remove(UFFD_COPY);
    }
    return expected;
  }

  private ChainedOptionsBuilder options(Mode mode) {
    ChainedOptionsBuilder options =
        shortRun
            .options(mode)
            .exclude(RemoteBenchmarksTest.OF_SEVERAL_PROCESSES)
            .exclude(OF_CRIU)
            .exclude(OF_RDMA)
            .exclude(OF_A_WARM_JVM)
            .measurementTime(TimeValue.milliseconds(100));
    if (!expectedMetrics().containsKey(UFFD_COPY)) {
      options.exclude(UFFD_COPY);
    }
    return options;
  }

  private void assertMetrics(int forks, Collection<RunResult> results) throws IOException {
    assertEquals(expectedMetrics(), ShortRun.metrics(forks, results));
    for (RunResult result : results) {
      for (String metric : expectedMetrics().get(ShortRun.nameOf(result))) {
        Result<?> value = result.getSecondaryResults().get(metric);
        assertEquals("us/op", value.getScoreUnit(), metric);
        assertEquals(1, value.getSampleCount(), metric);
        assertTrue(value.getScore() > 0, metric);
      }
    }
    assertEquals(
        expectedMetrics().values().stream().mapToInt(Set::size).sum(),
        shortRun.samples().series().size());
  }
}
