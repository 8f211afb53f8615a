// SPDX-License-Identifier: Apache-2.0
package org.mitosis.result;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.mitosis.setting.MissingPrerequisite;
import org.openjdk.jmh.infra.BenchmarkParams;
import org.openjdk.jmh.infra.IterationParams;
import org.openjdk.jmh.results.ScalarResult;
import org.openjdk.jmh.runner.IterationType;
import org.openjdk.jmh.runner.WorkloadParams;
import org.openjdk.jmh.runner.options.TimeValue;

class SelfTimedProfilerTest {
  private static final IterationParams WARMUP = iteration(IterationType.WARMUP);
  private static final IterationParams MEASUREMENT = iteration(IterationType.MEASUREMENT);

  @TempDir Path directory;
  @TempDir Path machine;
  private SelfTimedProfiler profiler;

  @BeforeEach
  void setDirectory() {
    SelfTimed.clear();
    SelfTimed.takeContainer();
    profiler = new SelfTimedProfiler(new MachineProbe(machine));
    System.setProperty(HistogramLog.DIRECTORY_PROPERTY, directory.resolve("hlog").toString());
  }

  @AfterEach
  void clearDirectory() {
    System.clearProperty(HistogramLog.DIRECTORY_PROPERTY);
  }

  @Test
  void eachMetricOfAnIterationIsOneResult() {
    List<ScalarResult> results = iterate("A.a", MEASUREMENT, 2_000, 4_000);
    assertEquals(1, results.size());
    assertEquals("prepare", results.get(0).getLabel());
    assertEquals(3.0, results.get(0).getScore());
    assertEquals("us/op", results.get(0).getScoreUnit());
  }

  @Test
  void aBenchmarkWithoutSamplesHasNoResultsAndNoFile() {
    assertEquals(List.of(), iterate("A.a", MEASUREMENT));
    assertFalse(Files.exists(directory.resolve("hlog")));
  }

  @Test
  void whatWasRecordedBetweenIterationsIsForgotten() {
    SelfTimed.record("prepare", 1_000_000);
    assertEquals(1.0, iterate("A.a", MEASUREMENT, 1_000).get(0).getScore());
  }

  @Test
  void onlyMeasuredIterationsAreKept() throws IOException {
    assertEquals(1, iterate("A.a", WARMUP, 9_000_000).size(), "JMH shows warm-up, too");
    iterate("A.a", MEASUREMENT, 1_000);
    iterate("A.a", MEASUREMENT, 3_000);
    List<HistogramLog.Series> series = HistogramLog.read(directory.resolve("hlog")).series();
    assertEquals(1, series.size());
    assertEquals("A.a", series.get(0).benchmark());
    assertEquals("4096", series.get(0).params().get("memorySize"));
    assertEquals(2, series.get(0).samples().total());
  }

  @Test
  void anIterationWithoutSamplesIsCounted() throws IOException {
    iterate("A.a", MEASUREMENT);
    iterate("A.a", MEASUREMENT, 1_000);
    iterate("A.a", MEASUREMENT);
    HistogramLog.ForkLog log = HistogramLog.read(directory.resolve("hlog")).series().get(0).log();
    assertEquals(3, log.iterations());
    assertEquals(new HistogramLog.Asked(1, 1), log.asked());
    assertFalse(log.isUnfinished());
  }

  @Test
  void eachBenchmarkInOneJvmHasItsOwnFile() throws IOException {
    iterate("A.a", MEASUREMENT, 1_000);
    iterate("A.b", MEASUREMENT, 1_000);
    assertEquals(2, HistogramLog.read(directory.resolve("hlog")).series().size());
  }

  @Test
  void withoutADirectoryNothingIsWritten() {
    System.clearProperty(HistogramLog.DIRECTORY_PROPERTY);
    assertEquals(1, iterate("A.a", MEASUREMENT, 1_000).size());
    assertFalse(Files.exists(directory.resolve("hlog")));
  }

  @Test
  void samplesThatCannotBeKeptFailTheBenchmarkWithASentence() throws IOException {
    Files.writeString(directory.resolve("hlog"), "a file in the place of the directory");
    MissingPrerequisite e =
        assertThrows(MissingPrerequisite.class, () -> iterate("A.a", MEASUREMENT, 1_000));
    assertTrue(e.getMessage().startsWith("the samples cannot be written to "), e.getMessage());
    assertEquals(1, iterate("A.a", WARMUP, 1_000).size(), "warm-up needs no file");
  }

  @Test
  void beingThereTwiceChangesNothing() {
    SelfTimedProfiler second = new SelfTimedProfiler(new MachineProbe(machine));
    BenchmarkParams benchmark = benchmark("A.a");
    profiler.beforeIteration(benchmark, MEASUREMENT);
    second.beforeIteration(benchmark, MEASUREMENT);
    SelfTimed.record("prepare", 1_000);
    List<ScalarResult> results =
        new ArrayList<>(second.afterIteration(benchmark, MEASUREMENT, null));
    results.addAll(profiler.afterIteration(benchmark, MEASUREMENT, null));
    assertEquals(1, results.size());
  }

  @Test
  void whatAnIterationLostIsAResultOfIt() throws IOException {
    Path stat =
        Files.writeString(Files.createDirectory(machine.resolve("proc")).resolve("stat"), "");
    BenchmarkParams benchmark = benchmark("A.a");
    Files.writeString(stat, "cpu 0 0 0 0 0 0 0 1000 0 0\n");
    profiler.beforeIteration(benchmark, MEASUREMENT);
    Files.writeString(stat, "cpu 0 0 0 0 0 0 0 999999999 0 0\n");
    List<ScalarResult> results = List.copyOf(profiler.afterIteration(benchmark, MEASUREMENT, null));
    assertEquals(1, results.size());
    assertEquals("machine.steal", results.get(0).getLabel());
    assertEquals(100.0, results.get(0).getScore());
    assertEquals("%", results.get(0).getScoreUnit());
  }

  @Test
  void anIterationThatLostNothingSaysNothing() throws IOException {
    Files.writeString(
        Files.createDirectory(machine.resolve("proc")).resolve("stat"),
        "cpu 0 0 0 0 0 0 0 1000 0 0\n");
    assertEquals(List.of(), iterate("A.a", MEASUREMENT));
  }

  @Test
  void theLogSaysWhatTheChildrenWereIn() throws IOException {
    SelfTimed.container("lean: namespaces none (no namespaces: EPERM)"); // in @Setup
    iterate("A.a", WARMUP, 1_000);
    iterate("A.a", MEASUREMENT, 1_000);
    iterate("A.b", MEASUREMENT, 1_000);
    List<HistogramLog.Series> series = HistogramLog.read(directory.resolve("hlog")).series();
    assertEquals(
        List.of("lean: namespaces none (no namespaces: EPERM)", ""),
        series.stream().map(one -> one.log().container()).toList());
  }

  private List<ScalarResult> iterate(String name, IterationParams iteration, long... samplesNs) {
    BenchmarkParams benchmark = benchmark(name);
    profiler.beforeIteration(benchmark, iteration);
    for (long ns : samplesNs) {
      SelfTimed.record("prepare", ns);
    }
    return List.copyOf(profiler.afterIteration(benchmark, iteration, null));
  }

  private static IterationParams iteration(IterationType type) {
    return new IterationParams(type, 1, TimeValue.milliseconds(1), 1);
  }

  private static BenchmarkParams benchmark(String name) {
    WorkloadParams params = new WorkloadParams();
    params.put("memorySize", "4096", 0);
    return BenchmarkOfJmh.of(name, 1, WARMUP, MEASUREMENT, params);
  }
}
