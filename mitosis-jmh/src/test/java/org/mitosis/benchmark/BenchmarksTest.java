// SPDX-License-Identifier: Apache-2.0
package org.mitosis.benchmark;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.mitosis.fixture.PythonFunctionTest;
import org.mitosis.fixture.UserfaultfdRight;
import org.mitosis.result.HistogramLog;
import org.mitosis.result.SelfTimedProfiler;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.results.Result;
import org.openjdk.jmh.results.RunResult;
import org.openjdk.jmh.runner.Runner;
import org.openjdk.jmh.runner.RunnerException;
import org.openjdk.jmh.runner.options.ChainedOptionsBuilder;
import org.openjdk.jmh.runner.options.OptionsBuilder;
import org.openjdk.jmh.runner.options.TimeValue;

/**
 * Runs every benchmark of one process for a moment, as an IDE would, and looks for its self-timed
 * figures.
 */
class BenchmarksTest {
  private static final String UFFD_COPY = "Baseline.uffdCopy";

  /** What they measure is tested by FrozenProcessTest, where CRIU works. */
  private static final String OF_CRIU = "\\.BaselineCriu\\.";

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
              Map.entry("ForkPrepare.workingSet", Set.of("prepare")),
              Map.entry("HarnessOverhead.alone", Set.of("prepare")),
              Map.entry("HarnessOverhead.driven", Set.of("prepare")),
              Map.entry("HarnessOverhead.turnByTurn", Set.of("alone", "driven")),
              Map.entry("NilCall.c", Set.of("nil")),
              Map.entry("NilCall.jna", Set.of()),
              Map.entry("PrepareOverFork.function", Set.of("fork", "prepare")),
              Map.entry("PrepareOverFork.turnByTurn", Set.of("fork", "prepare"))));

  @TempDir Path directory;

  @BeforeAll
  static void needsPython() {
    PythonFunctionTest.assumePython();
  }

  @BeforeAll
  static void allowOtherRuns() {
    // What is measured here is not used; a run elsewhere on this machine need not be waited for.
    System.setProperty("jmh.ignoreLock", "true");
  }

  @AfterAll
  static void forbidThemAgain() {
    System.clearProperty("jmh.ignoreLock");
  }

  @ParameterizedTest
  @MethodSource("modes")
  void inAForkedJvm(Mode mode) throws IOException, RunnerException {
    assertMetrics(1, run(options(mode).forks(1)), 1);
  }

  @Test
  void insideThisJvm() throws IOException, RunnerException {
    System.setProperty(HistogramLog.DIRECTORY_PROPERTY, hlog().toString());
    try {
      assertMetrics(0, run(options(Mode.AverageTime).forks(0)), 1);
    } finally {
      System.clearProperty(HistogramLog.DIRECTORY_PROPERTY);
    }
  }

  @Test
  void everyForkAndIterationCounts() throws IOException, RunnerException {
    Collection<RunResult> results =
        run(
            options(Mode.SingleShotTime)
                .include("\\.ForkPrepare\\.workingSet$")
                .warmupIterations(1)
                .measurementIterations(3)
                .forks(2));
    assertEquals(1, results.size());
    Result<?> prepare = results.iterator().next().getSecondaryResults().get("prepare");
    assertEquals(2 * 3, prepare.getSampleCount());
    List<HistogramLog.Series> merged = HistogramLog.read(hlog()).overForks();
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
  void aMissingPrerequisiteIsOneSentence(String benchmark) throws IOException {
    RunnerException e =
        assertThrows(
            RunnerException.class,
            () ->
                run(
                    options(Mode.SingleShotTime)
                        .include("\\." + benchmark + "$")
                        .param("memorySize", "4097")
                        .forks(1)));
    List<String> told =
        e.getMessage()
            .lines()
            .dropWhile(line -> !line.contains("<failure>"))
            .filter(line -> !line.isBlank())
            .toList();
    assertEquals(
        "org.mitosis.fixture.MissingPrerequisite:"
            + " memorySize '4097' is not a multiple of the page size of 4096 bytes",
        told.get(1));
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
    ChainedOptionsBuilder options = new OptionsBuilder();
    if (!expectedMetrics().containsKey(UFFD_COPY)) {
      options.exclude(UFFD_COPY);
    }
    return options
        .mode(mode)
        .exclude(RemoteBenchmarksTest.OF_SEVERAL_PROCESSES)
        .exclude(OF_CRIU)
        .param("memorySize", "1m")
        .param("functionName", "helloworld")
        .warmupIterations(0)
        .measurementIterations(1)
        .measurementTime(TimeValue.milliseconds(100))
        .timeout(TimeValue.seconds(60))
        .jvmArgsPrepend(
            "-Xmx128m",
            "-D" + HistogramLog.DIRECTORY_PROPERTY + "=" + hlog(),
            "-Dmitosis.native.dir=" + System.getProperty("mitosis.native.dir", ""))
        .addProfiler(SelfTimedProfiler.class)
        .shouldFailOnError(true)
        .output(directory.resolve("jmh.txt").toString());
  }

  private Collection<RunResult> run(ChainedOptionsBuilder options)
      throws IOException, RunnerException {
    assumeTrue(
        BenchmarksTest.class.getResource("/linux-x86-64/mitosis-parent") != null,
        "needs linux-x86-64/mitosis-parent on the class path: build native-module on Linux x86-64");
    try {
      return new Runner(options.build()).run();
    } catch (RunnerException e) {
      throw new RunnerException(Files.readString(directory.resolve("jmh.txt")), e);
    }
  }

  private void assertMetrics(int forks, Collection<RunResult> results, int iterations)
      throws IOException {
    Map<String, Set<String>> found = new TreeMap<>();
    for (RunResult result : results) {
      String name = result.getParams().getBenchmark().replace("org.mitosis.benchmark.", "");
      assertEquals(forks, result.getParams().getForks(), name);
      assertTrue(result.getPrimaryResult().getScore() > 0, name);
      // JMH adds its percentiles, such as p0.50, where it samples itself.
      Set<String> metrics = new TreeSet<>(result.getSecondaryResults().keySet());
      metrics.removeIf(key -> !key.matches("[A-Za-z]+"));
      found.put(name, metrics);
      for (String metric : metrics) {
        Result<?> value = result.getSecondaryResults().get(metric);
        assertEquals("us/op", value.getScoreUnit(), name);
        assertEquals(iterations, value.getSampleCount(), name);
        assertTrue(value.getScore() > 0 && value.getScore() < 1e6, name + " " + value);
      }
    }
    assertEquals(expectedMetrics(), found);

    HistogramLog.Contents logs = HistogramLog.read(hlog());
    assertEquals(List.of(), logs.warnings());
    assertEquals(
        expectedMetrics().values().stream().mapToInt(Set::size).sum(), logs.series().size());
    logs.series().forEach(one -> assertTrue(one.samples().total() > 0, one::toString));
  }

  private Path hlog() {
    return directory.resolve("hlog");
  }
}
