// SPDX-License-Identifier: Apache-2.0
package org.example;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Collection;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.mitosis.fixture.UserfaultfdRight;
import org.mitosis.result.SelfTimedProfiler;
import org.openjdk.jmh.results.RunResult;
import org.openjdk.jmh.runner.BenchmarkList;
import org.openjdk.jmh.runner.BenchmarkListEntry;
import org.openjdk.jmh.runner.Runner;
import org.openjdk.jmh.runner.format.OutputFormat;
import org.openjdk.jmh.runner.format.OutputFormatFactory;
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

  @Test
  void theApiIsMeasured() throws Exception {
    RunResult result = run("NilBenchmark").iterator().next();
    assertTrue(result.getPrimaryResult().getScore() > 0);
  }

  @Test
  void childrenOfAProgramOfOnesOwnAreMeasured() throws Exception {
    assumeTrue(UserfaultfdRight.read().allowed(), "needs the right to use userfaultfd");
    assumeTrue(Files.isExecutable(Path.of("/usr/bin/python3")), "needs /usr/bin/python3");
    Collection<RunResult> results = run("CounterBenchmark");
    assertEquals(2, results.size());
    for (RunResult result : results) {
      double us = result.getSecondaryResults().get("resume").getScore();
      assertTrue(us > 0 && us < 1e6, us + " us");
    }
  }

  private static Collection<RunResult> run(String benchmark) throws Exception {
    System.setProperty("jmh.ignoreLock", "true");
    return new Runner(
            new OptionsBuilder()
                .include(benchmark)
                .addProfiler(SelfTimedProfiler.class)
                .shouldFailOnError(true)
                .warmupIterations(0)
                .measurementIterations(1)
                .measurementTime(TimeValue.milliseconds(200))
                .jvmArgsAppend(
                    "-Dcounter=" + Path.of("counter.py").toAbsolutePath(),
                    "-Dmitosis.backend=user",
                    "-Dmitosis.native.dir=" + System.getProperty("mitosis.native.dir"))
                .build())
        .run();
  }
}
