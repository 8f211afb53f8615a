// SPDX-License-Identifier: Apache-2.0
package org.mitosis.report;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.mitosis.result.JmhVisualizer;
import org.mitosis.result.Run;
import org.mitosis.result.SampleRun;

/**
 * figures.jmh.json is read by the rules of the programs that it is for. The rules are those of
 * their sources in 2026: extractJmhResult of github-action-benchmark, and the adapter java_jmh of
 * Bencher, whose older versions take scoreError and newer ones scoreConfidence.
 */
class JmhFiguresTest {
  private static final String PREPARE = "org.mitosis.benchmark.ForkPrepare:workingSet";
  private static final String SCORE = "org.mitosis.benchmark.PeakThroughput:function.score";
  private static final String PEAK = "org.mitosis.benchmark.PeakThroughput.function";

  @TempDir Path directory;

  /** What a program keeps of one benchmark. */
  private record Kept(double value, double low, double high, String unit, String extra) {}

  @Test
  void bothReadEveryFigureByANameOfItsOwn() throws IOException {
    SampleRun sample = new SampleRun(directory.resolve("run"));
    sample.levels("ForkPrepare.workingSet", Map.of("memorySize", "4096"), "prepare", 100, 300, 200);
    sample.levels("ForkPrepare.workingSet", Map.of("memorySize", "8192"), "prepare", 400);
    sample.score(
        "org.mitosis.benchmark.NilCall.jna",
        Map.of(),
        "us/op",
        List.of(List.of(1.0), List.of(3.0), List.of(2.0)));
    Map<String, Kept> expected = new LinkedHashMap<>();
    expected.put(
        PREPARE + ".prepare memorySize=4096",
        new Kept(200, 100, 300, "ns/op", "iterations: 5\nforks: 3\nthreads: 1"));
    expected.put(
        PREPARE + ".prepare memorySize=8192",
        new Kept(400, 400, 400, "ns/op", "iterations: 5\nforks: 1\nthreads: 1"));
    expected.put(
        "org.mitosis.benchmark.NilCall:jna.score",
        new Kept(2000, 1000, 3000, "ns/op", "iterations: 1\nforks: 3\nthreads: 1"));
    String json = exported(sample);
    assertEquals(expected, byBencher(json));
    assertEquals(expected.keySet(), byGithubAction(json).keySet());
    expected.forEach(
        (name, kept) -> {
          assertEquals(kept.value(), byGithubAction(json).get(name).value());
          assertEquals(kept.unit(), byGithubAction(json).get(name).unit());
          assertEquals(kept.extra(), byGithubAction(json).get(name).extra());
        });
    assertEquals(
        Map.of(
            PREPARE + ".prepare{memorySize=4096}",
            200.0,
            PREPARE + ".prepare{memorySize=8192}",
            400.0,
            "org.mitosis.benchmark.NilCall:jna.score{}",
            2000.0),
        JmhVisualizer.read(new ObjectMapper().readTree(json)));
  }

  /** Of metrics with a dot, and of methods that have different parameters. */
  @Test
  void jmhVisualizerDrawsABarForEachFigure() throws IOException {
    SampleRun sample = new SampleRun(directory.resolve("run"));
    Map<String, String> rate = Map.of("memorySize", "4096", "rate", "0.5");
    sample.levels("PeakThroughput.workingSet", rate, "peak", 9);
    sample.levels("PeakThroughput.workingSet", rate, "peak.machine1", 8);
    sample.levels("PeakThroughput.workingSet", rate, "peak.machine2", 7);
    sample.levels("PrepareOverFork.workingSet", Map.of("memorySize", "4096"), "ratio", 1);
    for (String order : List.of("ab", "ba")) {
      Map<String, String> parameters = Map.of("memorySize", "4096", "order", "=a " + order);
      sample.levels("PrepareOverFork.turns", parameters, "ratio", 2);
      sample.levels("PrepareOverFork.turns", parameters, "prepare", 2);
    }
    sample.levels("PrepareOverFork.alone", Map.of(), "prepare", 3);
    JsonNode entries = new ObjectMapper().readTree(exported(sample));
    assertEquals(9, JmhVisualizer.read(entries).size());
    assertEquals(9, JmhVisualizer.bars(entries));
  }

  @Test
  void aForkThatFailedIsSaid() throws IOException {
    SampleRun sample = new SampleRun(directory.resolve("run")).asks(3, 5);
    sample.levels("ForkPrepare.workingSet", Map.of(), "prepare", 100, 300);
    String json = exported(sample);
    assertEquals(
        "2 of 3 forks", new ObjectMapper().readTree(json).get(0).get("shortfall").asText());
    Kept kept = new Kept(200, 200, 200, "ns/op", "iterations: 5\nforks: 2\nthreads: 1");
    assertEquals(Map.of(PREPARE + ".prepare", kept), byBencher(json));
    assertEquals(kept.extra(), byGithubAction(json).get(PREPARE + ".prepare").extra());
  }

  /** JMH gives the error of one value as a string: one such entry, and Bencher reads no entry. */
  @Test
  void whereJmhHasNoErrorTheExportHasNumbers() throws IOException {
    Path file = directory.resolve("jmh.json");
    Files.writeString(
        file,
        """
        [ {
          "jmhVersion" : "1.37", "benchmark" : "%s", "mode" : "thrpt", "threads" : 1, "forks" : 1,
          "measurementIterations" : 1,
          "primaryMetric" : {
            "score" : 1234.5, "scoreError" : "NaN", "scoreConfidence" : ["NaN", "NaN"],
            "scorePercentiles" : { "0.0" : 1234.5, "50.0" : 1234.5 },
            "scoreUnit" : "ops/s", "rawData" : [ [ 1234.5 ] ]
          },
          "secondaryMetrics" : { }
        } ]
        """
            .formatted(PEAK));
    assertThrows(IllegalArgumentException.class, () -> byBencher(Files.readString(file)));
    String json = exported(Run.read(file));
    assertEquals(
        Map.of(SCORE, new Kept(1234.5, 1234.5, 1234.5, "ops/s", extraOf(json))), byBencher(json));
    assertEquals(1234.5, byGithubAction(json).get(SCORE).value());
  }

  @Test
  void ofSeveralRunsThereIsNone() throws IOException {
    SampleRun sample = new SampleRun(directory.resolve("run"));
    sample.levels("ForkPrepare.workingSet", Map.of(), "prepare", 100);
    Run run = Run.read(sample.finished().folder());
    Path folder = directory.resolve("report");
    Report.of(List.of(run)).write(folder);
    assertTrue(Files.exists(folder.resolve("figures.jmh.json")));
    Report.of(List.of(run, run)).write(folder);
    assertFalse(Files.exists(folder.resolve("figures.jmh.json")));
  }

  private String exported(SampleRun sample) throws IOException {
    return exported(Run.read(sample.finished().folder()));
  }

  private String exported(Run run) throws IOException {
    Path folder = directory.resolve("report");
    Report.of(List.of(run)).write(folder);
    return Files.readString(folder.resolve("figures.jmh.json"));
  }

  private static String extraOf(String json) {
    return byGithubAction(json).values().iterator().next().extra();
  }

  /** Name and parameters make the key; only the score is read. */
  private static Map<String, Kept> byGithubAction(String json) {
    Map<String, Kept> kept = new LinkedHashMap<>();
    for (JsonNode entry : parsed(json)) {
      String name = text(entry, "benchmark");
      if (entry.has("params")) {
        name += " ( " + entry.get("params") + " )";
      }
      JsonNode metric = entry.get("primaryMetric");
      double score = number(metric.get("score"));
      String extra =
          "iterations: "
              + entry.get("measurementIterations").asInt()
              + "\nforks: "
              + entry.get("forks").asInt()
              + "\nthreads: "
              + entry.get("threads").asInt();
      assertNull(kept.put(name, new Kept(score, score, score, text(metric, "scoreUnit"), extra)));
    }
    return kept;
  }

  /** The name alone makes the key; every number must be one, and the unit a known one. */
  private static Map<String, Kept> byBencher(String json) {
    Map<String, Kept> kept = new LinkedHashMap<>();
    for (JsonNode entry : parsed(json)) {
      String name = text(entry, "benchmark");
      assertTrue(!name.isEmpty() && name.length() <= 1024, name);
      assertTrue(entry.get("secondaryMetrics").isObject());
      JsonNode metric = entry.get("primaryMetric");
      String unit = text(metric, "scoreUnit");
      assertTrue(unit.matches("(ns|us|ms|s)/op|ops/(ns|us|ms|s)"), unit);
      double score = number(metric.get("score"));
      assertEquals(2, metric.get("scoreConfidence").size());
      double low = number(metric.get("scoreConfidence").get(0));
      double high = number(metric.get("scoreConfidence").get(1));
      assertEquals((high - low) / 2, number(metric.get("scoreError")), 1e-9);
      String extra = byGithubAction(json).get(name).extra();
      assertNull(kept.put(name, new Kept(score, low, high, unit, extra)));
    }
    return kept;
  }

  private static JsonNode parsed(String json) {
    try {
      JsonNode all = new ObjectMapper().readTree(json);
      assertTrue(all.isArray());
      return all;
    } catch (IOException e) {
      throw new IllegalArgumentException(e);
    }
  }

  private static String text(JsonNode node, String name) {
    assertTrue(node.path(name).isTextual(), name);
    return node.get(name).asText();
  }

  private static double number(JsonNode node) {
    if (!node.isNumber()) {
      throw new IllegalArgumentException(node + " is not a number");
    }
    return node.asDouble();
  }
}
