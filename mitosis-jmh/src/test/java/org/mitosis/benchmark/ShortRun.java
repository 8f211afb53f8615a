// SPDX-License-Identifier: Apache-2.0
package org.mitosis.benchmark;

import static org.junit.jupiter.api.Assertions.assertEquals;
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
import org.junit.jupiter.api.extension.AfterAllCallback;
import org.junit.jupiter.api.extension.BeforeAllCallback;
import org.junit.jupiter.api.extension.ExtensionContext;
import org.mitosis.result.HistogramLog;
import org.mitosis.result.SelfTimedProfiler;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.results.RunResult;
import org.openjdk.jmh.runner.Runner;
import org.openjdk.jmh.runner.RunnerException;
import org.openjdk.jmh.runner.options.ChainedOptionsBuilder;
import org.openjdk.jmh.runner.options.OptionsBuilder;
import org.openjdk.jmh.runner.options.TimeValue;

/** Benchmarks for a moment each, with JMH's output and the samples in a folder. */
final class ShortRun {
  private final Path directory;

  ShortRun(Path directory) {
    this.directory = directory;
  }

  /** What is measured is not used: a run elsewhere on this machine need not be waited for. */
  static final class BesideOthers implements BeforeAllCallback, AfterAllCallback {
    private static final String IGNORE_LOCK = "jmh.ignoreLock";

    @Override
    public void beforeAll(ExtensionContext context) {
      System.setProperty(IGNORE_LOCK, "true");
    }

    @Override
    public void afterAll(ExtensionContext context) {
      System.clearProperty(IGNORE_LOCK);
    }
  }

  ChainedOptionsBuilder options(Mode mode) {
    return new OptionsBuilder()
        .mode(mode)
        .param("memorySize", "1m")
        .param("functionName", "helloworld")
        .param("threads", "4")
        .param("files", "3")
        .warmupIterations(0)
        .measurementIterations(1)
        .measurementTime(TimeValue.milliseconds(50))
        .timeout(TimeValue.seconds(60))
        .jvmArgsPrepend(
            "-Xmx128m",
            "-D" + HistogramLog.DIRECTORY_PROPERTY + "=" + hlog(),
            "-Dmitosis.native.dir=" + System.getProperty("mitosis.native.dir", ""))
        .addProfiler(SelfTimedProfiler.class)
        .shouldFailOnError(true)
        .output(jmhsWords().toString());
  }

  /** What JMH says is the message, where it throws. */
  Collection<RunResult> run(ChainedOptionsBuilder options) throws IOException, RunnerException {
    assumeTrue(
        ShortRun.class.getResource("/linux-x86-64/mitosis-parent") != null,
        "needs linux-x86-64/mitosis-parent on the class path: build native-module on Linux x86-64");
    try {
      return new Runner(options.build()).run();
    } catch (RunnerException e) {
      throw new RunnerException(Files.readString(jmhsWords()), e);
    }
  }

  /** The same in this JVM, which takes the folder for samples from a property of its own. */
  Collection<RunResult> runHere(ChainedOptionsBuilder options) throws IOException, RunnerException {
    System.setProperty(HistogramLog.DIRECTORY_PROPERTY, hlog().toString());
    try {
      return run(options.forks(0));
    } finally {
      System.clearProperty(HistogramLog.DIRECTORY_PROPERTY);
    }
  }

  /** What JMH says of a benchmark that fails. */
  List<String> failure(ChainedOptionsBuilder options) {
    RunnerException e = assertThrows(RunnerException.class, () -> run(options));
    return e.getMessage()
        .lines()
        .dropWhile(line -> !line.contains("<failure>"))
        .skip(1)
        .filter(line -> !line.isBlank())
        .toList();
  }

  /** Such as "ForkPrepare.workingSet". */
  static String nameOf(RunResult result) {
    return result.getParams().getBenchmark().replace("org.mitosis.benchmark.", "");
  }

  /** The self-timed metrics of each benchmark, checked: so many forks, and values that can be. */
  static Map<String, Set<String>> metrics(int forks, Collection<RunResult> results) {
    Map<String, Set<String>> found = new TreeMap<>();
    for (RunResult result : results) {
      String name = nameOf(result);
      assertEquals(forks, result.getParams().getForks(), name);
      assertTrue(result.getPrimaryResult().getScore() > 0, name);
      // JMH adds its percentiles, such as p0.50, where it samples itself.
      Set<String> metrics = new TreeSet<>(result.getSecondaryResults().keySet());
      metrics.removeIf(key -> !key.matches("[A-Za-z]+"));
      found.put(name, metrics);
      for (String metric : metrics) {
        double score = result.getSecondaryResults().get(metric).getScore();
        // In us/op. A machine that stands still for a second must not fail a run.
        assertTrue(score >= 0 && score < 60e6, name + " " + metric + " " + score);
      }
    }
    return found;
  }

  /** The samples, of which no series is empty and nothing was lost. */
  HistogramLog.Contents samples() throws IOException {
    HistogramLog.Contents logs = HistogramLog.read(hlog());
    assertEquals(List.of(), logs.warnings());
    logs.series().forEach(one -> assertTrue(one.samples().total() > 0, one::toString));
    return logs;
  }

  private Path hlog() {
    return directory.resolve("hlog");
  }

  private Path jmhsWords() {
    return directory.resolve("jmh.txt");
  }
}
