// SPDX-License-Identifier: Apache-2.0
package org.mitosis.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Path;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.HdrHistogram.Histogram;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.mitosis.result.BenchmarkOfJmh;
import org.mitosis.result.HistogramLog;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.infra.BenchmarkParams;
import org.openjdk.jmh.infra.IterationParams;
import org.openjdk.jmh.results.BenchmarkResult;
import org.openjdk.jmh.results.BenchmarkResultMetaData;
import org.openjdk.jmh.results.IterationResult;
import org.openjdk.jmh.results.RunResult;
import org.openjdk.jmh.runner.IterationType;
import org.openjdk.jmh.runner.WorkloadParams;
import org.openjdk.jmh.runner.options.TimeValue;

class ForkCheckTest {
  private static final String BENCHMARK = "org.mitosis.benchmark.EmptyContainer.lean";
  private static final long START_MS = 1_700_000_000_000L;

  @TempDir Path directory;

  @Test
  void allForksAndIterationsAreNothingToTell() {
    assertEquals(
        Map.of(), ForkCheck.incomplete(List.of(run(3, 2, fork(0, 2), fork(1, 2), fork(2, 2)))));
    assertEquals(Map.of(), ForkCheck.incomplete(List.of(run(0, 2, fork(0, 2)))), "-f 0");
  }

  @Test
  void aForkWithoutAllItsIterationsIsMissing() {
    assertEquals(
        List.of("2 of 3 forks"),
        List.copyOf(ForkCheck.incomplete(List.of(run(3, 2, fork(0, 2), fork(2, 2)))).values()));
    assertEquals(
        List.of("1 of 2 forks"),
        List.copyOf(ForkCheck.incomplete(List.of(run(2, 2, fork(0, 2), fork(1, 1)))).values()));
  }

  @Test
  void theLogOfAForkThatJmhDroppedIsMarked() throws IOException {
    for (int number = 0; number < 3; number++) {
      write(BENCHMARK, number);
    }
    write("org.mitosis.benchmark.Other.one", 1);
    RunResult kept = run(3, 1, fork(0, 1), fork(2, 1));
    ForkCheck.markAborted(List.of(kept), Set.of(Selection.Item.of(kept)), directory);
    List<HistogramLog.Series> series = HistogramLog.read(directory).series();
    assertEquals(
        List.of("EmptyContainer.lean,fork=2.hlog"),
        series.stream()
            .map(HistogramLog.Series::log)
            .filter(HistogramLog.ForkLog::aborted)
            .map(HistogramLog.ForkLog::file)
            .toList());
    assertEquals(4, series.size(), "its samples are still there");
  }

  @Test
  void theLogOfAForkOfWhichJmhKeptTheFirstIterationsIsMarked() throws IOException {
    write(BENCHMARK, 0);
    write(BENCHMARK, 1);
    RunResult kept = run(2, 2, fork(0, 2), fork(1, 1));
    ForkCheck.markAborted(List.of(kept), Set.of(Selection.Item.of(kept)), directory);
    assertEquals(
        List.of(false, true),
        HistogramLog.read(directory).series().stream().map(s -> s.log().aborted()).toList());
  }

  @Test
  void withoutAnyResultAllLogsOfTheBenchmarkAreMarked() throws IOException {
    write(BENCHMARK, 0);
    Selection.Item item =
        new Selection.Item(BENCHMARK, Mode.AverageTime, Collections.emptySortedMap());
    ForkCheck.markAborted(List.of(), Set.of(item), directory);
    assertTrue(HistogramLog.read(directory).series().get(0).log().aborted());
  }

  /** Fork number {@code n} runs in second {@code n}. */
  private void write(String benchmark, int number) {
    Instant start = Instant.ofEpochMilli(START_MS + number * 1000L + 300);
    HistogramLog.Asked asked = new HistogramLog.Asked(3, 1);
    HistogramLog.create(directory, benchmark, Map.of(), asked, start)
        .append(Map.of("startup", samples()), start, start.plusMillis(100));
  }

  private static Histogram samples() {
    Histogram histogram = new Histogram(3);
    histogram.recordValue(1000);
    return histogram;
  }

  private record Fork(int number, int iterations) {}

  private static Fork fork(int number, int iterations) {
    return new Fork(number, iterations);
  }

  private static RunResult run(int forks, int iterations, Fork... kept) {
    IterationParams measurement =
        new IterationParams(IterationType.MEASUREMENT, iterations, TimeValue.milliseconds(1), 1);
    BenchmarkParams params =
        BenchmarkOfJmh.of(BENCHMARK, forks, measurement, measurement, new WorkloadParams());
    List<BenchmarkResult> results = new ArrayList<>();
    for (Fork fork : kept) {
      List<IterationResult> all =
          Collections.nCopies(fork.iterations(), new IterationResult(params, measurement, null));
      long from = START_MS + fork.number() * 1000L;
      results.add(
          new BenchmarkResult(
              params, all, new BenchmarkResultMetaData(from, from + 250, from + 900, 1, 1)));
    }
    return new RunResult(params, results);
  }
}
