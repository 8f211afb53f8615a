// SPDX-License-Identifier: Apache-2.0
package org.mitosis.result;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.file.Path;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.HdrHistogram.Histogram;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.mitosis.Availability;
import org.mitosis.Backend;
import org.mitosis.BackendChoice;
import org.mitosis.stats.ValueCounts;

/** The values recorded are such that a histogram of three digits gives them back in the table. */
class ArtifactTableTest {
  @Test
  void showsEveryFigureBesideThePublishedOnes() {
    String table =
        table(
            series("ForkPrepare.workingSet", "67108864", 1, "prepare", 1_000_000, 1_999_000),
            series("ForkPrepare.workingSet", "1048576", 1, "prepare", 64_800, 64_800),
            series("ForkPrepare.workingSet", "1048576", 2, "prepare", 64_800),
            series("ForkPrepare.workingSet", "4096", 1, "prepare", 1_000));
    assertEquals(
        """

        ForkPrepare.workingSet, prepare
           trace   median  p99  spread  samples  val01  ours/val01         note
        --------  -------  ---  ------  -------  -----  ----------  -----------
            4096  0.00100    -       -        1      -           -  few samples
         1048576   0.0648    -     0 %        3  0.648       0.100  few samples
        67108864    1.500    -       -        2  3.362       0.446  few samples
        """,
        withoutCaption(table));
  }

  @Test
  void theCaptionSaysWhereAndHow() {
    String caption =
        table(series("Baseline.fork", "4096", 1, "fork", 1_000)).lines().toList().get(1);
    assertTrue(
        caption.contains("Self-timed in parent, child or launcher (CLOCK_MONOTONIC)"), caption);
    assertTrue(caption.contains("backend user"), caption);
    assertTrue(caption.contains("unknown"), caption);
  }

  @Test
  void whatWasNotPublishedHasNoColumnForIt() {
    assertEquals(
        """

        Baseline.fork, fork
        trace  median  p99  spread  samples         note
        -----  ------  ---  ------  -------  -----------
         4096   1.000    -       -        1  few samples
        """,
        withoutCaption(table(series("Baseline.fork", "4096", 1, "fork", 1_000_000))));
  }

  @Test
  void aBenchmarkAboutARatioGetsATableOfIt() {
    String table =
        withoutCaption(
            table(
                series("PrepareOverFork.turnByTurn", "1048576", 1, "prepare", 1_099_500),
                series("PrepareOverFork.turnByTurn", "1048576", 1, "fork", 1_000_000)));
    assertTrue(
        table.endsWith(
            """

            PrepareOverFork.turnByTurn, prepare / fork (medians)
              trace  prepare   fork  ratio
            -------  -------  -----  -----
            1048576    1.100  1.000   1.10
            """),
        table);
  }

  @Test
  void parametersHaveAColumnWhereTheyVaryAndTheTitleWhereNot() {
    String table =
        withoutCaption(
            table(
                resumed("1048576", "tcp", "startup", 2_918_000),
                resumed("67108864", "local", "startup", 1_999_000),
                resumed("1048576", "local", "startup", 1_459_000)));
    assertEquals(
        """

        ForkResume.workingSet, startup (protection=handshake, resumeMode=lazy)
           trace  transport  median  p99  spread  samples  val02  ours/val02         note
        --------  ---------  ------  ---  ------  -------  -----  ----------  -----------
         1048576      local   1.459    -       -        1  2.918       0.500  few samples
         1048576        tcp   2.918    -       -        1  2.918        1.00  few samples
        67108864      local   2.000    -       -        1  3.339       0.599  few samples
        """
            + ReferenceFigures.difference("startup").orElseThrow()
            + "\n",
        table);
  }

  @Test
  void aFigureThatWasNotPublishedOfAPublishedBenchmarkHasNoColumnForIt() {
    assertEquals(
        """

        ForkResume.workingSet, resume (protection=handshake, resumeMode=lazy, transport=tcp)
          trace  median  p99  spread  samples         note
        -------  ------  ---  ------  -------  -----------
        1048576   1.000    -       -        1  few samples
        """,
        withoutCaption(table(resumed("1048576", "tcp", "resume", 1_000_000))));
  }

  @Test
  void damagedLogsAreTold() {
    String table =
        ArtifactTable.of(
            new HistogramLog.Contents(List.of(), List.of("a.hlog: line 9 is cut off")),
            List.of(),
            environment());
    assertTrue(table.endsWith("\na.hlog: line 9 is cut off\n"), table);
  }

  @Test
  void figuresOfAFailedBenchmarkAreMarked() {
    Environment failed =
        environment()
            .ended(
                Environment.Outcome.FAILED,
                Instant.EPOCH,
                List.of("Baseline.fork memorySize=4096"),
                new MachineProbe(Path.of("/no-such-root")));
    String table =
        ArtifactTable.of(
            new HistogramLog.Contents(
                List.of(series("Baseline.fork", "4096", 1, "fork", 1_000)), List.of()),
            List.of(),
            failed);
    assertTrue(
        table.endsWith(
            "\nFailed, so figures of it are incomplete: Baseline.fork memorySize=4096\n"),
        table);
  }

  @Test
  void whatJmhMeasuredIsOfAllForksAndIterations() {
    String table =
        ArtifactTable.of(
            new HistogramLog.Contents(List.of(series("NilCall.c", "4096", 1, "nil", 1)), List.of()),
            List.of(
                score("NilCall.jna", Map.of(), Figure.SCORE, Figure.NS, 240, 260, 250),
                score("NilCall.c", Map.of(), "nil", Figure.NS, 100, 100, 100),
                score("PeakThroughput.workingSet", Map.of("loops", "1"), "peak", "ops/s", 5, 7, 6),
                score("PeakThroughput.workingSet", Map.of("loops", "1"), "stable", "share", 1, 0),
                score("PeakThroughput.workingSet", Map.of("loops", "2"), "peak", "ops/s", 10)),
            environment());
    assertTrue(
        table.contains(
            "\nNilCall, jna / c (medians, ns)\n"
                + "trace  jna    c  ratio\n"
                + "-----  ---  ---  -----\n"
                + "nil    250  100   2.50\n"),
        table);
    assertTrue(
        table.contains(
            "\nPeakThroughput.workingSet, peak (containers/s, medians)\n"
                + "trace  loops  peak  by machine          stable  from s  to s\n"
                + "-----  -----  ----  ----------  --------------  ------  ----\n"
                + "-          1  6.00              50.0 % of runs       -     -\n"
                + "-          2  10.0                           -       -     -\n"),
        table);
  }

  @Test
  void aScheduleThatWasNotKeptIsMarked() {
    Map<String, String> rate = Map.of("rate", "500");
    String table =
        ArtifactTable.of(
            new HistogramLog.Contents(List.of(series("NilCall.c", "4096", 1, "nil", 1)), List.of()),
            List.of(
                score("PeakThroughput.workingSet", rate, "peak", "ops/s", 300),
                score("PeakThroughput.workingSet", rate, "offered", "children", 5_000),
                score("PeakThroughput.workingSet", rate, "started", "children", 3_000),
                score("PeakThroughput.workingSet", rate, "lost", "children", 2_000)),
            environment());
    assertTrue(table.contains("5000     3000     -  2000  rate not reached, 40.0 % lost"), table);
  }

  @Test
  void aSearchedRateIsAColumn() {
    Map<String, String> search = Map.of("rate", "search");
    String table =
        ArtifactTable.of(
            new HistogramLog.Contents(List.of(series("NilCall.c", "4096", 1, "nil", 1)), List.of()),
            List.of(
                score("PeakThroughput.workingSet", search, "peak", "ops/s", 300),
                score("PeakThroughput.workingSet", search, "highestRate", "ops/s", 290),
                score("PeakThroughput.workingSet", search, "searchSteps", "trials", 5)),
            environment());
    assertTrue(table.contains("highest rate  steps\n"), table);
    assertTrue(table.contains(" 290   5.00\n"), table);
  }

  private static Figure score(
      String method, Map<String, String> params, String metric, String unit, double... values) {
    List<Figure.Fork> forks = new ArrayList<>();
    for (double value : values) {
      forks.add(new Figure.Fork(forks.size() + 1, List.of(new Figure.Point(1, 0, 0, value, null))));
    }
    return new Figure("org.mitosis.benchmark." + method, params, metric, unit, forks);
  }

  @Test
  void noFiguresMakeNoTable() {
    assertEquals("", table());
  }

  @ParameterizedTest
  @CsvSource({
    "42.977, 42.977",
    "0.607, 0.607",
    "0.06477, 0.0648",
    "0.000123456, 0.000123",
    "1234.5678, 1234.568",
    "0, 0.000",
    "NaN, -"
  })
  void timesHaveThreeDecimalsAndThreeSignificantDigits(double value, String text) {
    assertEquals(text, TableText.ms(value));
  }

  private static String table(HistogramLog.Series... series) {
    return ArtifactTable.of(
        new HistogramLog.Contents(List.of(series), List.of()), List.of(), environment());
  }

  private static String withoutCaption(String table) {
    return table.substring(table.indexOf('\n', 1) + 1);
  }

  private static HistogramLog.Series series(
      String benchmark, String memorySize, int fork, String metric, long... valuesNs) {
    return new HistogramLog.Series(
        "org.mitosis.benchmark." + benchmark,
        Map.of("memorySize", memorySize),
        fork,
        metric,
        List.of(new HistogramLog.Slice(1, 0, 1, ValueCounts.of(histogram(valuesNs)))));
  }

  private static HistogramLog.Series resumed(
      String memorySize, String transport, String metric, long... valuesNs) {
    return new HistogramLog.Series(
        "org.mitosis.benchmark.ForkResume.workingSet",
        Map.of("memorySize", memorySize, "resumeMode", "lazy", "transport", transport),
        1,
        metric,
        List.of(new HistogramLog.Slice(1, 0, 1, ValueCounts.of(histogram(valuesNs)))));
  }

  private static Histogram histogram(long... valuesNs) {
    Histogram histogram = new Histogram(3);
    for (long value : valuesNs) {
      histogram.recordValue(value);
    }
    return histogram;
  }

  private static Environment environment() {
    return Environment.started(
        Instant.EPOCH,
        List.of(),
        List.of(),
        new BackendChoice(
            Backend.USER, "it works", List.of(Availability.available(Backend.USER, "it works"))),
        new MachineProbe(Path.of("/no-such-root")),
        Tools.UNKNOWN,
        Environment.NO_CPU_PLAN);
  }
}
