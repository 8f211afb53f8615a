// SPDX-License-Identifier: Apache-2.0
package org.mitosis.result;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.mitosis.result.Environment.Outcome;

class MergedRunTest {
  private static final String PREPARE = "ForkPrepare.workingSet";
  private static final Map<String, String> SMALL = Map.of("memorySize", "1048576");
  private static final Map<String, String> LARGE = Map.of("memorySize", "67108864");
  private static final ObjectMapper JSON = new ObjectMapper();

  @TempDir Path directory;

  @Test
  void everyForkAppearsAsAFork() throws IOException {
    List<Path> runs = new ArrayList<>();
    long[] levels = {100_000, 110_000, 120_000};
    for (long level : levels) {
      runs.add(runOf(SMALL, level));
    }
    runs.add(runOf(LARGE, 900_000));
    Run merged = merged(runs, account(3, Outcome.COMPLETE, List.of()));

    Figure small = figure(merged, SMALL);
    assertEquals(3, small.forks().size());
    assertEquals(List.of(1, 2, 3), small.forks().stream().map(Figure.Fork::number).toList());
    assertEquals(3, small.forksAsked());
    assertFalse(small.isIncomplete());
    assertEquals(110_000, Estimate.of(small).median(), 1_000);
    assertEquals("1 of 3 forks", figure(merged, LARGE).shortfall());
    assertTrue(merged.ended());
    assertTrue(merged.problems().isEmpty(), merged.problems().toString());
    String table = Files.readString(directory.resolve("merged/table.txt"));
    assertTrue(table.contains("1048576"), table);
  }

  @Test
  void scoresOfJmhAreOfAllForks() throws IOException {
    Map<String, String> params = Map.of("n", "1");
    List<Path> runs = new ArrayList<>();
    for (int fork = 0; fork < 3; fork++) {
      SampleRun run = new SampleRun(directory.resolve("s" + fork));
      double base = 10 + fork;
      run.score(
          "org.mitosis.benchmark.NilCall.jna",
          params,
          "ns/op",
          List.of(List.of(base - 1, base + 1)),
          Map.of("offered", List.of(100.0 * (fork + 1))),
          "#");
      withScores(run.folder(), base, 100.0 * (fork + 1));
      runs.add(run.folder());
    }
    Run merged = merged(runs, account(3, Outcome.COMPLETE, List.of()));
    JsonNode entries = JSON.readTree(directory.resolve("merged/jmh.json").toFile());
    assertEquals(1, entries.size());
    JsonNode entry = entries.get(0);
    assertEquals(3, entry.get("forks").asInt());
    assertEquals(
        "[[9.0,11.0],[10.0,12.0],[11.0,13.0]]", entry.at("/primaryMetric/rawData").toString());
    assertEquals(11, entry.at("/primaryMetric/score").asDouble());
    assertEquals(11, entry.at("/primaryMetric/scorePercentiles/50.0").asDouble());
    assertEquals(13, entry.at("/primaryMetric/scorePercentiles/100.0").asDouble());
    // Six values with deviation sqrt(2): t(0.9995, 5) = 6.869, times sqrt(2 / 6).
    assertEquals(3.966, entry.at("/primaryMetric/scoreError").asDouble(), 0.001);
    assertEquals(
        "[[100.0],[200.0],[300.0]]", entry.at("/secondaryMetrics/offered/rawData").toString());
    assertEquals(200, entry.at("/secondaryMetrics/offered/score").asDouble());
    assertEquals(3, merged.figures().get(0).forks().size());
    String name = "org.mitosis.benchmark.NilCall.jna{n=1}";
    assertEquals(Map.of(name, 11.0, name + " offered", 200.0), JmhVisualizer.read(entries));
  }

  @Test
  void thePairsOfSampledTimesStayPairs() throws IOException {
    List<Path> runs = new ArrayList<>();
    for (int fork = 0; fork < 2; fork++) {
      Path folder = runOf(SMALL, 1_000);
      Files.writeString(
          folder.resolve("jmh.json"),
          """
          [{"benchmark": "org.mitosis.benchmark.NilCall.jna", "mode": "sample", "forks": 1,
            "measurementIterations": 1,
            "primaryMetric": {"score": 2.0, "scoreError": "NaN", "scoreConfidence": ["NaN", "NaN"],
              "scorePercentiles": {"50.0": 2.0}, "scoreUnit": "us/op",
              "rawDataHistogram": [[[[%d, 3]]]]}, "secondaryMetrics": {}}]
          """
              .formatted(1 + 2 * fork));
      runs.add(folder);
    }
    merged(runs, account(2, Outcome.COMPLETE, List.of()));
    JsonNode entry = JSON.readTree(directory.resolve("merged/jmh.json").toFile()).get(0);
    assertEquals("[[[[1,3]]],[[[3,3]]]]", entry.at("/primaryMetric/rawDataHistogram").toString());
    assertEquals(2, entry.at("/primaryMetric/scorePercentiles/50.0").asDouble());
    assertEquals(1, JmhVisualizer.read(JSON.createArrayNode().add(entry)).size());
  }

  @Test
  void theEnvironmentIsThatOfAllRuns() throws IOException {
    Path first = runOf(SMALL, 1_000);
    Path second = runOf(SMALL, 1_000);
    change(first, "warnings", "other processes use the CPUs (load 1.70 on 2 CPUs): wait");
    change(second, "warnings", "the frequency governor is powersave");
    change(first, "warnings", "steal in 1.5 % of the run's time");
    change(second, "warnings", "steal in 12.25 % of the run's time");
    change(second, "ended", "2026-11-24T12:00:00Z");
    MergedRun.Account account =
        new MergedRun.Account(
            2,
            Outcome.INTERRUPTED,
            List.of("what failed"),
            List.of("what was run again"),
            List.of("what was left out"),
            List.of("duel", "a", "b"),
            new MergedRun.Start(
                new MachineFacts.State(List.of(0.25, 0.0, 0.0), 1L, 0L, 5.0),
                List.of("other processes use the CPUs (load 1.10 on 2 CPUs): wait")));
    Environment merged = merged(List.of(first, second), account).environment().orElseThrow();
    assertEquals(Outcome.INTERRUPTED, merged.outcome());
    assertEquals("2026-11-24T12:00:00Z", merged.ended());
    assertEquals(SampleRun.START.toString(), merged.started());
    assertEquals(List.of("duel", "a", "b"), merged.commandLine());
    assertEquals(List.of("what failed"), merged.failed());
    assertEquals(List.of("what was run again"), merged.repeated());
    assertEquals(List.of("what was left out"), merged.leftOut());
    assertEquals(0.25, merged.before().load().get(0));
    assertEquals(
        List.of(
            "other processes use the CPUs (load 1.10 on 2 CPUs): wait",
            "steal in 1.5 % of the run's time (in 2 of 2 forks)",
            "the frequency governor is powersave"),
        merged.warnings(),
        "the load before a later run is that of the runs before it");
  }

  @Test
  void mergedTwiceIsMergedOnce() throws IOException {
    List<Path> runs = List.of(runOf(SMALL, 1_000), runOf(SMALL, 1_100));
    merged(runs.subList(0, 1), account(2, Outcome.INTERRUPTED, List.of()));
    Run again = merged(runs, account(2, Outcome.COMPLETE, List.of()));
    assertEquals(2, figure(again, SMALL).forks().size());
  }

  private Path runOf(Map<String, String> params, long level) throws IOException {
    Path folder = Files.createTempDirectory(directory, "run");
    new SampleRun(folder).asks(1, 5).levels(PREPARE, params, "prepare", level).finished();
    return folder;
  }

  private static void change(Path folder, String name, String value) throws IOException {
    Path file = folder.resolve("environment.json");
    ObjectNode root = (ObjectNode) JSON.readTree(file.toFile());
    if (root.get(name) instanceof ArrayNode list) {
      list.add(value);
    } else {
      root.put(name, value);
    }
    Files.writeString(file, root.toString());
  }

  /** Adds what {@link SampleRun} leaves out of JMH's format. */
  private static void withScores(Path folder, double primary, double secondary) throws IOException {
    Path file = folder.resolve("jmh.json");
    JsonNode root = JSON.readTree(file.toFile());
    score(root.get(0).get("primaryMetric"), primary);
    score(root.get(0).at("/secondaryMetrics/offered"), secondary);
    Files.writeString(file, root.toString());
  }

  private static void score(JsonNode metric, double score) {
    ObjectNode node = (ObjectNode) metric;
    node.put("score", score);
    node.putObject("scorePercentiles").put("50.0", score).put("100.0", score);
  }

  private static MergedRun.Account account(int forks, Outcome outcome, List<String> failed) {
    return new MergedRun.Account(
        forks,
        outcome,
        failed,
        List.of(),
        List.of(),
        List.of("duel"),
        new MergedRun.Start(new MachineFacts.State(null, null, null, null), List.of()));
  }

  private Run merged(List<Path> runs, MergedRun.Account account) throws IOException {
    MergedRun.write(directory.resolve("merged"), runs, account);
    return Run.read(directory.resolve("merged"));
  }

  private static Figure figure(Run run, Map<String, String> params) {
    return run.figures().stream()
        .filter(figure -> figure.params().equals(params))
        .findFirst()
        .orElseThrow();
  }
}
