// SPDX-License-Identifier: Apache-2.0
package org.mitosis.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.function.UnaryOperator;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.mitosis.OneJdk;
import org.mitosis.result.Estimate;
import org.mitosis.result.Figure;
import org.mitosis.result.HistogramLog;
import org.mitosis.result.Run;

/** A process of a fork is killed while it measures, in the middle of a run. */
@OneJdk
class KilledForkIT {
  private static final long FORK_MS = 120_000;
  private static final long CLEAN_UP_MS = 10_000;
  private static final String ROW = "ForkPrepare.workingSet memorySize=1048576";
  private static final String LOG = "ForkPrepare.workingSet,memorySize=1048576,fork=2.hlog";
  private static final List<String> ARGUMENTS =
      List.of(
          "ForkPrepare.workingSet|NilCall.c",
          "-p",
          "memorySize=1m",
          "-f",
          "3",
          "-wi",
          "0",
          "-i",
          "6",
          "-r",
          "500ms");

  @TempDir Path directory;
  private BenchmarksJar jar;

  @BeforeEach
  void jar() throws IOException {
    jar = new BenchmarksJar(directory);
    jar.requireUserBackend();
  }

  /** JMH keeps the other forks if one reports a failure. */
  @Test
  void aForkWhoseParentIsKilledMarksItsRowAndIsInNoEstimate() throws IOException {
    BenchmarksJar.Outcome outcome = killInTheSecondFork(this::parentOf);
    assertTrue(outcome.err().contains(ROW + ": only 2 of 3 forks gave a result"), outcome.err());
    Path folder = jar.resultFolders().get(0);
    String table = Files.readString(folder.resolve("table.txt"));
    assertTrue(table.contains("2 of 3 forks"), table);
    List<HistogramLog.Series> logs = logs(folder);
    assertEquals(3, logs.size());
    for (HistogramLog.Series log : logs) {
      assertEquals(log.log().file().equals(LOG), log.log().aborted(), log.log().file());
    }
    Figure figure = prepare(folder).orElseThrow();
    assertEquals(List.of(1, 3), figure.forks().stream().map(Figure.Fork::number).toList());
    assertEquals("2 of 3 forks", figure.shortfall());
    assertEquals(2, Estimate.of(figure).forkMedians().size());
    assertEquals(
        logs.stream().filter(log -> !log.log().aborted()).mapToLong(KilledForkIT::samples).sum(),
        figure.forks().stream()
            .flatMap(fork -> fork.points().stream())
            .mapToLong(point -> point.samples().total())
            .sum());
    BenchmarksJar.Outcome compared = jar.run("compare", folder.toString(), folder.toString());
    assertTrue(compared.out().contains("2 of 3 forks"), compared.out());
    assertTrue(report(folder).contains("2 of 3 forks"), report(folder));
  }

  /** JMH keeps no fork of a benchmark if the JVM of one ends without a word. */
  @Test
  void aForkWhoseJvmIsKilledLeavesARowWithoutEstimate() throws IOException {
    BenchmarksJar.Outcome outcome = killInTheSecondFork(UnaryOperator.identity());
    assertTrue(outcome.err().contains("1 of 2 benchmarks failed (" + ROW + ")"), outcome.err());
    Path folder = jar.resultFolders().get(0);
    String table = Files.readString(folder.resolve("table.txt"));
    assertTrue(table.contains("Failed, so figures of it are incomplete: " + ROW), table);
    assertFalse(table.contains("ForkPrepare.workingSet, prepare"), table);
    List<HistogramLog.Series> logs = logs(folder);
    assertTrue(logs.stream().anyMatch(log -> log.log().file().equals(LOG)), logs.toString());
    for (HistogramLog.Series log : logs) {
      assertTrue(log.log().aborted(), log.log().file());
    }
    assertEquals(0, prepare(folder).map(figure -> figure.forks().size()).orElse(0));
    assertTrue(report(folder).contains("**failed**: " + ROW), report(folder));
  }

  /** Kills a process of the second fork after its first iteration; checks what holds for all. */
  private BenchmarksJar.Outcome killInTheSecondFork(UnaryOperator<ProcessHandle> victimOf)
      throws IOException {
    BenchmarksJar.Running run = jar.start(ARGUMENTS);
    BenchmarksJar.await(
        FORK_MS,
        "the second fork has measured an iteration",
        () -> hasMeasured(run) || !run.process().isAlive());
    ProcessHandle jvm =
        run.process()
            .descendants()
            .filter(one -> one.info().commandLine().orElse("").contains("ForkedMain"))
            .findFirst()
            .orElseThrow(() -> new AssertionError(output(run)));
    ProcessHandle victim = victimOf.apply(jvm);
    assertTrue(victim.destroyForcibly(), "SIGKILL");
    BenchmarksJar.Outcome outcome = run.outcome();
    assertEquals(1, outcome.exitCode(), outcome.out() + outcome.err());
    Path folder = jar.resultFolders().get(0);
    JsonNode environment = new ObjectMapper().readTree(folder.resolve("environment.json").toFile());
    assertEquals("failed", environment.get("outcome").asText());
    assertEquals(ROW, environment.get("failed").get(0).asText());
    assertEquals(1, environment.get("failed").size(), "the other row is whole");
    for (HistogramLog.Series log : logs(folder)) {
      assertTrue(samples(log) > 0, "samples stay in the file: " + log.log().file());
    }
    BenchmarksJar.await(
        CLEAN_UP_MS, "every process has gone: " + jar.processes(), () -> jar.processes().isEmpty());
    return outcome;
  }

  /** The process whose memory is forked. */
  private ProcessHandle parentOf(ProcessHandle jvm) {
    return jar.processes().stream()
        .filter(one -> one.endsWith(" mitosis-parent"))
        .map(one -> ProcessHandle.of(Long.parseLong(one.split(" ")[0])))
        .flatMap(Optional::stream)
        .filter(one -> one.parent().equals(Optional.of(jvm)))
        .findFirst()
        .orElseThrow(() -> new AssertionError("no parent of " + jvm + ": " + jar.processes()));
  }

  private static List<HistogramLog.Series> logs(Path folder) throws IOException {
    return HistogramLog.read(folder.resolve("hlog")).series().stream()
        .filter(log -> log.metric().equals("prepare"))
        .toList();
  }

  private static long samples(HistogramLog.Series log) {
    return log.slices().stream().mapToLong(slice -> slice.samples().total()).sum();
  }

  private static Optional<Figure> prepare(Path folder) throws IOException {
    return Run.read(folder).figures().stream()
        .filter(one -> one.metric().equals("prepare"))
        .findFirst();
  }

  private String report(Path folder) throws IOException {
    jar.run("report", folder.toString());
    return Files.readString(folder.resolve("report/report.md"));
  }

  private boolean hasMeasured(BenchmarksJar.Running run) {
    String text = output(run);
    int second = text.indexOf("# Fork: 2 of 3");
    // JMH prints this when the iteration begins.
    return second >= 0 && text.indexOf("Iteration   2: ", second) >= 0;
  }

  private static String output(BenchmarksJar.Running run) {
    try {
      return run.out();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}
