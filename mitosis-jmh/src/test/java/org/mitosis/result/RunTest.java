// SPDX-License-Identifier: Apache-2.0
package org.mitosis.result;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class RunTest {
  private static final Map<String, String> ONE_MEBIBYTE = Map.of("memorySize", "1048576");
  private static final String PREPARE = "ForkPrepare.workingSet";

  @TempDir Path directory;

  @Test
  void whatTimedItselfIsReadByForkAndSlice() throws IOException {
    SampleRun sample = sample();
    sample.selfTimed(PREPARE, ONE_MEBIBYTE, "prepare", new long[] {100, 200}, new long[] {300});
    sample.selfTimed(PREPARE, ONE_MEBIBYTE, "prepare", new long[] {400});
    Run run = Run.read(sample.finished().folder());
    assertEquals(List.of(), run.problems());
    assertEquals(1, run.figures().size());
    Figure figure = run.figures().get(0);
    assertEquals("ForkPrepare.workingSet memorySize=1048576", figure.title());
    assertEquals("prepare", figure.metric());
    assertEquals(Figure.NS, figure.unit());
    assertEquals(1L << 20, figure.memoryBytes().orElseThrow());
    assertEquals(2, figure.forks().size());
    assertEquals(
        List.of(1, 1, 2),
        figure.forks().get(0).points().stream().map(Figure.Point::iteration).toList());
    assertEquals(300, figure.forks().get(0).points().get(2).value());
    assertEquals(SampleRun.START.toEpochMilli(), figure.forks().get(0).points().get(0).startMs());
  }

  @Test
  void aForkThatWasAbortedIsInNoFigureAndIsMissing() throws IOException {
    SampleRun sample = sample().asks(3, 2);
    sample.selfTimed(PREPARE, ONE_MEBIBYTE, "prepare", new long[] {100}, new long[] {100});
    sample.selfTimed(PREPARE, ONE_MEBIBYTE, "prepare", new long[] {900}, new long[] {900});
    sample.selfTimed(PREPARE, ONE_MEBIBYTE, "prepare", new long[] {100}, new long[] {100});
    Path second =
        sample.folder().resolve("hlog/" + PREPARE + ",memorySize=1048576,fork=2" + ".hlog");
    HistogramLog.markAborted(second);
    Run run = Run.read(sample.finished().folder());
    Figure figure = run.figures().get(0);
    assertEquals(List.of(1, 3), figure.forks().stream().map(Figure.Fork::number).toList());
    assertEquals("2 of 3 forks", figure.shortfall());
    assertEquals(
        List.of(
            PREPARE
                + ",memorySize=1048576,fork=2.hlog is of a fork that JMH did not keep: its samples"
                + " are left out"),
        run.problems());
  }

  @Test
  void aForkWithTooFewIterationsCountsOnlyIfTheWholeRunWasKilled() throws IOException {
    SampleRun sample = sample().asks(2, 2);
    sample.selfTimed(PREPARE, ONE_MEBIBYTE, "prepare", new long[] {100}, new long[] {100});
    sample.selfTimed(PREPARE, ONE_MEBIBYTE, "prepare", new long[] {900});
    sample.finished();
    assertEquals("1 of 2 forks", Run.read(sample.folder()).figures().get(0).shortfall());
    sample.environment(Environment.Outcome.INTERRUPTED, List.of());
    assertEquals(2, Run.read(sample.folder()).figures().get(0).forks().size());
  }

  @Test
  void sessionsThatNoParameterDescribesAreOfTheOldKind() throws IOException {
    SampleRun sample = sample();
    sample.score(
        "org.mitosis.benchmark.ForkResume.workingSet",
        Map.of("transport", "tcp"),
        "us/op",
        List.of(List.of(1.0)));
    sample.score(
        "org.mitosis.benchmark.ForkResume.function",
        Map.of("transport", "tcp", "protection", "sealed"),
        "us/op",
        List.of(List.of(1.0)));
    List<Figure> figures = Run.read(sample.finished().folder()).figures();
    assertEquals(Map.of("transport", "tcp", "protection", "handshake"), figures.get(0).params());
    assertEquals(Map.of("transport", "tcp", "protection", "sealed"), figures.get(1).params());
  }

  @Test
  void logsAndScoresOfOlderReleasesAreOfTheSameFigure() throws IOException {
    SampleRun sample = sample();
    Map<String, String> params = Map.of("transport", "tcp");
    sample.levels("ForkResume.workingSet", params, "resume", 1000);
    sample.score(
        "org.mitosis.benchmark.ForkResume.workingSet",
        params,
        "us/op",
        List.of(List.of(1.0)),
        Map.of("resume", List.of(1.0)),
        "us/op");
    List<Figure> figures = Run.read(sample.folder()).figures();
    assertEquals(1, figures.size(), figures::toString);
    assertEquals("handshake", figures.get(0).params().get("protection"));
  }

  @Test
  void whereNoLogSaysItTheResultOfJmhHasTheForksAskedFor() throws IOException {
    SampleRun sample = sample();
    sample.levels(PREPARE, Map.of(), "prepare", 1000, 1000);
    sample.score("org.mitosis.benchmark." + PREPARE, Map.of(), "us/op", List.of(List.of(1.0)));
    Path json = sample.folder().resolve("jmh.json");
    String entry = Files.readString(json);
    Files.writeString(json, entry.replace("\"mode\"", "\"forks\" : 3, \"mode\""));
    assertEquals("2 of 3 forks", Run.read(sample.folder()).figures().get(0).shortfall());
  }

  @Test
  void aScoreOfAForkWithoutAllItsIterationsIsLeftOut() throws IOException {
    SampleRun sample = sample();
    sample.score("a.B.c", Map.of(), "us/op", List.of(List.of(1.0, 1.0), List.of(9.0)));
    Path json = sample.folder().resolve("jmh.json");
    String asked = "\"forks\" : 2, \"measurementIterations\" : 2, \"mode\"";
    Files.writeString(json, Files.readString(json).replace("\"mode\"", asked));
    Figure figure = Run.read(sample.folder()).figures().get(0);
    assertEquals(List.of(1), figure.forks().stream().map(Figure.Fork::number).toList());
    assertEquals("1 of 2 forks", figure.shortfall());
  }

  @Test
  void theShareOfLostChildrenIsOfTheSameBenchmarkAndParameters() throws IOException {
    SampleRun sample = sample();
    Map<String, List<Double>> schedule =
        Map.of("offered", List.of(100.0, 100.0), "lost", List.of(0.0, 50.0));
    List<List<Double>> scores = List.of(List.of(1.0), List.of(1.0));
    sample.score("a.B.c", Map.of("rate", "9"), "us/op", scores, schedule, "children");
    sample.score("a.B.c", Map.of("rate", "1"), "us/op", scores);
    Run run = Run.read(sample.folder());
    Figure late =
        run.figures().stream().filter(one -> one.params().containsValue("9")).findFirst().get();
    Figure other =
        run.figures().stream().filter(one -> one.params().containsValue("1")).findFirst().get();
    assertEquals(new OfferedLoad(200, 50, 0), run.load(late));
    assertEquals(new OfferedLoad(0, 0, 0), run.load(other));
    assertTrue(run.load(other).isReached(), "no schedule");
  }

  @Test
  void aScheduleThatLaggedIsNotReachedEvenIfNothingWasLost() {
    assertEquals("", new OfferedLoad(1000, 0, 10).note());
    assertEquals(
        "rate not reached, 1.1 % started after its end", new OfferedLoad(1000, 0, 11).note());
    assertEquals("rate not reached, 0.1 % lost", new OfferedLoad(1000, 1, 500).note());
  }

  @Test
  void aRowSaysWhatTookTimeFromItsIterations() throws IOException {
    SampleRun sample = sample();
    List<List<Double>> scores = List.of(List.of(1.0), List.of(1.0), List.of(1.0));
    Map<String, List<Double>> lost =
        Map.of(
            "machine.steal", List.of(0.9, 3.0, 12.5),
            "machine.ioPressure", List.of(5.0),
            "machine.cpuPressure", List.of(80.0));
    sample.score("a.B.c", Map.of("rate", "9"), "us/op", scores, lost, "%");
    sample.score("a.B.c", Map.of("rate", "1"), "us/op", scores);
    Run run = Run.read(sample.folder());
    assertEquals(
        List.of(
            "steal in 2 iterations, up to 12.5 %; waits for CPUs in 1 iteration, up to 80.0 %", ""),
        run.figures().stream()
            .filter(figure -> !figure.isNote())
            .map(run::disturbance)
            .sorted(Comparator.reverseOrder())
            .toList());
  }

  @Test
  void aScoreIsShownOnlyWhereNothingTimedItself() throws IOException {
    SampleRun sample = sample();
    sample.levels(PREPARE, Map.of(), "prepare", 1000);
    sample.score("org.mitosis.benchmark." + PREPARE, Map.of(), "us/op", List.of(List.of(5.0, 6.0)));
    sample.score("org.other.Their.method", Map.of("n", "3"), "us/op", List.of(List.of(5.0, 6.0)));
    Run run = Run.read(sample.folder());
    assertEquals(List.of("prepare", "score"), run.figures().stream().map(Figure::metric).toList());
    Figure score = run.figures().get(1);
    assertEquals("Their.method n=3", score.title());
    assertEquals(Figure.NS, score.unit());
    assertEquals(5000, score.forks().get(0).points().get(0).value());
  }

  @Test
  void ratesKeepTheirUnitAndMoreIsBetter() throws IOException {
    SampleRun sample = sample();
    sample.score(
        "a.Peak.run",
        Map.of(),
        "us/op",
        List.of(List.of(1.0)),
        Map.of("peak", List.of(300.0, 310.0), "stable", List.of(1.0, 1.0)),
        "ops/s");
    Run run = Run.read(sample.folder());
    Figure peak =
        run.figures().stream().filter(one -> one.metric().equals("peak")).findFirst().orElseThrow();
    assertEquals("ops/s", peak.unit());
    assertEquals(2, peak.forks().size());
    assertTrue(!peak.lessIsBetter());
    assertTrue(run.figures().stream().anyMatch(Figure::isNote));
  }

  @Test
  void aResultFileOfJmhAloneIsARunOfAnUnknownPlace() throws IOException {
    SampleRun sample = sample();
    sample.score("a.B.c", Map.of(), "ops/ms", List.of(List.of(1.0, 2.0)));
    Run run = Run.read(sample.folder().resolve("jmh.json"));
    assertEquals("jmh.json", run.name());
    assertTrue(run.environment().isEmpty());
    assertEquals("ops/ms", run.figures().get(0).unit());
  }

  @Test
  void sampleTimesOfJmhGiveTheirMedian() throws IOException {
    Path file = directory.resolve("sample.json");
    Files.writeString(
        file,
        """
        [{"benchmark": "a.B.c", "mode": "sample", "primaryMetric": {"scoreUnit": "us/op",
          "rawDataHistogram": [[[[7.0, 1], [1.0, 3], [2.0, 1]]]]}, "secondaryMetrics": {}}]
        """);
    assertEquals(1000, Run.read(file).figures().get(0).forks().get(0).points().get(0).value());
  }

  @Test
  void ofATruncatedJsonTheWholeResultsAreKept() throws IOException {
    SampleRun sample = sample();
    sample.score("a.B.first", Map.of(), "us/op", List.of(List.of(1.0)));
    sample.score("a.B.second", Map.of(), "us/op", List.of(List.of(1.0)));
    Path json = sample.folder().resolve("jmh.json");
    String text = Files.readString(json);
    int second = text.indexOf("a.B.second");
    for (int length : List.of(second - 14, second, second + 40, text.length() - 1)) {
      Files.writeString(json, text.substring(0, length));
      Run run = Run.read(sample.folder());
      assertEquals(length < text.length() - 1 ? 1 : 2, run.figures().size(), "cut at " + length);
      assertEquals(1, run.problems().size());
      assertTrue(run.problems().get(0).contains("is damaged after"), run.problems().get(0));
    }
    for (String other : List.of("", "root:x:0:0:root:/root:/bin/bash\n", "{}")) {
      Files.writeString(json, other);
      assertTrue(
          Run.read(sample.folder()).problems().get(0).contains("is not a result file of JMH"));
    }
  }

  @Test
  void ofACutLogTheWholeLinesAreKept() throws IOException {
    SampleRun sample = sample();
    sample.selfTimed(PREPARE, ONE_MEBIBYTE, "prepare", new long[] {100}, new long[] {300});
    Path log =
        sample.folder().resolve("hlog/ForkPrepare.workingSet,memorySize=1048576,fork=1.hlog");
    String text = Files.readString(log);
    Files.writeString(log, text.substring(0, text.length() - 5));
    Run run = Run.read(sample.finished().folder());
    assertEquals(1, run.figures().get(0).forks().get(0).points().size());
    assertTrue(run.problems().get(0).contains("is cut off"), run.problems().get(0));
  }

  @Test
  void resultsOfAnotherVersionAreReadAsFarAsTheyGo() throws IOException {
    SampleRun sample = sample();
    sample.levels(PREPARE, ONE_MEBIBYTE, "prepare", 1000);
    Files.writeString(
        sample.finished().folder().resolve("environment.json"),
        """
        {"schema": 7, "outcome": "paused", "backend": {"chosen": "user", "new": {"a": 1}},
         "machine": {"host": "val01"}}
        """);
    Run run = Run.read(sample.folder());
    assertEquals(1, run.figures().size());
    assertEquals(List.of("val01"), List.copyOf(run.environments().keySet()));
    assertEquals("user", run.environment().orElseThrow().backend().chosen());
    assertEquals(1, run.problems().size());
    assertTrue(run.problems().get(0).contains("of another version"), run.problems().get(0));
    assertTrue(run.problems().get(0).contains("format 7"), run.problems().get(0));
  }

  @Test
  void aDamagedEnvironmentDoesNotTakeTheFiguresWithIt() throws IOException {
    SampleRun sample = sample();
    sample.levels(PREPARE, ONE_MEBIBYTE, "prepare", 1000).finished();
    Path file = sample.folder().resolve("environment.json");
    Files.writeString(file, Files.readString(file).substring(0, 200));
    Run run = Run.read(sample.folder());
    assertEquals(1, run.figures().size());
    assertTrue(run.environment().isEmpty());
    assertTrue(run.problems().get(0).contains("is damaged"), run.problems().get(0));
  }

  @Test
  void aKilledRunSaysSo() throws IOException {
    SampleRun sample = sample();
    sample.environment(Environment.Outcome.RUNNING, List.of());
    sample.levels(PREPARE, ONE_MEBIBYTE, "prepare", 1000);
    List<String> problems = Run.read(sample.folder()).problems();
    assertTrue(problems.get(0).contains("there is no jmh.json"), problems.get(0));
    assertTrue(problems.get(1).contains("has not ended, or was killed"), problems.get(1));
  }

  @Test
  void aRunOnAClusterHasTheEnvironmentOfEachMachine() throws IOException {
    SampleRun sample = sample();
    Path folder = sample.folder();
    sample.environment("machine.host", "val01");
    sample.levels(PREPARE, ONE_MEBIBYTE, "prepare", 1000);
    Path machines = Files.createDirectories(folder.resolve("machines"));
    Files.move(folder.resolve("environment.json"), machines.resolve("val01.json"));
    SampleRun other =
        new SampleRun(directory.resolve("other")).environment("machine.host", "val02");
    Files.copy(other.folder().resolve("environment.json"), machines.resolve("val02.json"));
    Files.writeString(
        folder.resolve("cluster.json"),
        "{\"schema\": 1, \"outcome\": \"failed\", \"failures\": [\"val02 did not answer\"]}");
    Run run = Run.read(folder);
    assertEquals(List.of("val01", "val02"), List.copyOf(run.environments().keySet()));
    assertEquals(List.of("val02 did not answer"), run.failed());
    assertEquals(List.of(), run.problems());
    assertEquals(1, run.figures().size());

    Files.writeString(folder.resolve("cluster.json"), "{\"schema\": 1, \"outco");
    assertTrue(Run.read(folder).problems().get(0).contains("is damaged"));
  }

  @Test
  void theFolderOfADuelNamesItsTwoRuns() throws IOException {
    Path duel = Files.createDirectories(directory.resolve("duel"));
    Files.writeString(duel.resolve("duel.json"), "{}");
    String message = assertThrows(IOException.class, () -> Run.read(duel)).getMessage();
    assertTrue(message.contains(duel.resolve("old") + " or " + duel.resolve("new")), message);
  }

  @Test
  void whereThereIsNoRunTheNextStepIsNamed() throws IOException {
    Path empty = Files.createDirectories(directory.resolve("empty"));
    String message = assertThrows(IOException.class, () -> Run.read(empty)).getMessage();
    assertTrue(message.contains("holds no results"), message);
    assertTrue(message.contains("name the folder of a run"), message);
    message =
        assertThrows(IOException.class, () -> Run.read(directory.resolve("none"))).getMessage();
    assertTrue(message.contains("does not exist"), message);
  }

  private SampleRun sample() throws IOException {
    return new SampleRun(directory.resolve("run"));
  }
}
