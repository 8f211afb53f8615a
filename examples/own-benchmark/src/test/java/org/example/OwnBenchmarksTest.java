// SPDX-License-Identifier: Apache-2.0
package org.example;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.mitosis.fixture.UserfaultfdRight;
import org.mitosis.report.Report;
import org.mitosis.result.Estimate;
import org.mitosis.result.Figure;
import org.mitosis.result.ResultFolder;
import org.mitosis.result.Run;
import org.mitosis.result.SelfTimedProfiler;
import org.mitosis.stats.Comparison;
import org.openjdk.jmh.results.RunResult;
import org.openjdk.jmh.results.format.ResultFormatType;
import org.openjdk.jmh.runner.BenchmarkList;
import org.openjdk.jmh.runner.BenchmarkListEntry;
import org.openjdk.jmh.runner.Runner;
import org.openjdk.jmh.runner.format.OutputFormat;
import org.openjdk.jmh.runner.format.OutputFormatFactory;
import org.openjdk.jmh.runner.options.ChainedOptionsBuilder;
import org.openjdk.jmh.runner.options.OptionsBuilder;
import org.openjdk.jmh.runner.options.TimeValue;
import org.openjdk.jmh.runner.options.VerboseMode;

class OwnBenchmarksTest {
  @Test
  void theListHasOnesOwnBenchmarksOnly() {
    OutputFormat silent =
        OutputFormatFactory.createFormatInstance(System.out, VerboseMode.SILENT);
    List<String> listed =
        BenchmarkList.defaultList().getAll(silent, List.of()).stream()
            .map(BenchmarkListEntry::getUserClassQName)
            .distinct()
            .sorted()
            .toList();
    assertEquals(List.of("org.example.CounterBenchmark", "org.example.NilBenchmark"), listed);
  }

  /** Their command line, its libraries and their benchmarks are in benchmarks.jar. */
  @Test
  void theHarnessOfMitosisIsNotThere() {
    for (String name :
        List.of(
            "org.mitosis.benchmark.ForkPrepare",
            "org.mitosis.cli.Main",
            "org.mitosis.cluster.ClusterCommand",
            "org.mitosis.duel.Contender",
            "picocli.CommandLine")) {
      assertThrows(ClassNotFoundException.class, () -> Class.forName(name), name);
    }
  }

  @Test
  void aRunIsKeptReadAndReported(@TempDir Path directory) throws Exception {
    ResultFolder folder = ResultFolder.create(directory, Instant.now(), "here", "nil");
    run("NilBenchmark", folder);
    Run run = Run.read(folder.path());
    Figure figure =
        run.figures().stream()
            .filter(one -> one.metric().equals(Figure.SCORE))
            .findFirst()
            .orElseThrow();
    assertEquals("NilBenchmark.call", figure.shortName());
    Estimate estimate = Estimate.of(figure);
    assertTrue(estimate.median() > 0, figure::toString);
    Report.of(List.of(run)).write(directory.resolve("report"));
    assertTrue(
        Files.readString(directory.resolve("report").resolve("index.html")).contains("NilBenchmark"));
  }

  @Test
  void theStatisticsAreThereAlone() {
    assertEquals(
        0.5, Comparison.of(new double[] {4, 4, 4}, new double[] {2, 2, 2}).ratio(), 1e-9);
  }

  @Test
  void childrenOfAProgramOfOnesOwnAreMeasured() throws Exception {
    assumeTrue(UserfaultfdRight.read().allowed(), "needs the right to use userfaultfd");
    assumeTrue(Files.isExecutable(Path.of("/usr/bin/python3")), "needs /usr/bin/python3");
    Collection<RunResult> results = run("CounterBenchmark", null);
    assertEquals(2, results.size());
    for (RunResult result : results) {
      double us = result.getSecondaryResults().get("resume").getScore();
      assertTrue(us > 0 && us < 1e6, us + " us");
    }
  }

  /**
   * Runs a benchmark for a moment.
   *
   * @param folder where its results are kept; null if nowhere
   */
  private static Collection<RunResult> run(String benchmark, ResultFolder folder) throws Exception {
    System.setProperty("jmh.ignoreLock", "true");
    List<String> jvmArguments =
        new ArrayList<>(
            List.of(
                "-Dcounter=" + Path.of("counter.py").toAbsolutePath(),
                "-Dmitosis.backend=user",
                "-Dmitosis.native.dir=" + System.getProperty("mitosis.native.dir")));
    ChainedOptionsBuilder options =
        new OptionsBuilder()
            .include(benchmark)
            .addProfiler(SelfTimedProfiler.class)
            .shouldFailOnError(true)
            .warmupIterations(0)
            .measurementIterations(1)
            .measurementTime(TimeValue.milliseconds(200));
    if (folder != null) {
      jvmArguments.add("-Dmitosis.results=" + folder.path());
      options.resultFormat(ResultFormatType.JSON).result(folder.jmhJson().toString());
    }
    return new Runner(options.jvmArgsAppend(jvmArguments.toArray(String[]::new)).build()).run();
  }
}
