// SPDX-License-Identifier: Apache-2.0
package org.mitosis.result;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.mitosis.Backend;
import org.mitosis.BackendChoice;

/** A folder as a run leaves it, with figures that a test has chosen. */
public final class SampleRun {
  /** When it started. */
  public static final Instant START = Instant.parse("2026-11-24T10:00:00Z");

  private static final ObjectMapper JSON = new ObjectMapper();
  private static final long SLICE_NS = 100_000_000;

  private final Path folder;
  private HistogramLog.Asked asked = HistogramLog.Asked.UNKNOWN;
  private final ArrayNode scores = JSON.createArrayNode();

  /** A run without figures, on a machine of which nothing is known. */
  public SampleRun(Path folder) throws IOException {
    this.folder = folder;
    Files.createDirectories(folder.resolve("hlog"));
    environment(Environment.Outcome.COMPLETE, List.of());
  }

  /** Where it is. */
  public Path folder() {
    return folder;
  }

  /** How it ended, and what failed. */
  public SampleRun environment(Environment.Outcome outcome, List<String> failed)
      throws IOException {
    MachineProbe bare = new MachineProbe(folder.resolve("no-such-root"));
    Environment environment =
        Environment.started(
                START,
                List.of("ForkPrepare"),
                List.of(),
                new BackendChoice(Backend.USER, "nothing better", List.of()),
                bare,
                Tools.UNKNOWN,
                Environment.NO_CPU_PLAN)
            .ended(outcome, START.plusSeconds(60), failed, bare);
    Files.writeString(folder.resolve("environment.json"), environment.toJson());
    return this;
  }

  /**
   * Changes a value of the environment, {@code machine.kernel.release}, say; of a list, adds it.
   */
  public SampleRun environment(String path, String value) throws IOException {
    Path file = folder.resolve("environment.json");
    ObjectNode root = (ObjectNode) JSON.readTree(file.toFile());
    ObjectNode at = root;
    String[] names = path.split("\\.");
    for (int i = 0; i < names.length - 1; i++) {
      at = (ObjectNode) at.get(names[i]);
    }
    if (at.get(names[names.length - 1]) instanceof ArrayNode list) {
      list.add(value);
    } else {
      at.put(names[names.length - 1], value);
    }
    Files.writeString(file, JSON.writeValueAsString(root));
    return this;
  }

  /** Says in the logs that follow what the run asks for. */
  public SampleRun asks(int forks, int iterations) {
    asked = new HistogramLog.Asked(forks, iterations);
    return this;
  }

  /**
   * Adds what one fork has timed.
   *
   * @param method class and method of a benchmark of ours
   * @param iterationsNs the times of each iteration, each in a slice of its own
   */
  public SampleRun selfTimed(
      String method, Map<String, String> params, String metric, long[]... iterationsNs) {
    HistogramLog log =
        HistogramLog.create(
            folder.resolve("hlog"), "org.mitosis.benchmark." + method, params, asked, START);
    Instant from = START;
    for (long[] iteration : iterationsNs) {
      SelfTimed.Metric times = new SelfTimed.Metric(metric);
      long startNs = System.nanoTime() - iteration.length * SLICE_NS;
      for (int i = 0; i < iteration.length; i++) {
        times.add(iteration[i], 1, startNs + i * SLICE_NS);
      }
      Instant to = from.plusNanos(iteration.length * SLICE_NS);
      log.append(List.of(times.take()), from, to);
      from = to;
    }
    return this;
  }

  /** Adds forks that each timed the same number of samples around a level of their own. */
  public SampleRun levels(
      String method, Map<String, String> params, String metric, long... levelsNs) {
    for (long level : levelsNs) {
      long[][] iterations = new long[5][5];
      for (int i = 0; i < 25; i++) {
        iterations[i / 5][i % 5] = level * (1000 + i % 5 - 2) / 1000;
      }
      selfTimed(method, params, metric, iterations);
    }
    return this;
  }

  /** Adds a score of JMH's, one list of iterations for each fork. */
  public SampleRun score(
      String benchmark, Map<String, String> params, String unit, List<List<Double>> rawData)
      throws IOException {
    return score(benchmark, params, unit, rawData, Map.of(), "ops/s");
  }

  /** Adds a score of JMH's with secondary metrics, one value for each fork. */
  public SampleRun score(
      String benchmark,
      Map<String, String> params,
      String unit,
      List<List<Double>> rawData,
      Map<String, List<Double>> secondary,
      String secondaryUnit)
      throws IOException {
    ObjectNode entry = scores.addObject().put("benchmark", benchmark).put("mode", "avgt");
    params.forEach(entry.putObject("params")::put);
    entry.set("primaryMetric", metric(unit, rawData));
    ObjectNode others = entry.putObject("secondaryMetrics");
    secondary.forEach(
        (name, values) -> {
          List<List<Double>> forks = new ArrayList<>();
          values.forEach(value -> forks.add(List.of(value)));
          others.set(name, metric(secondaryUnit, forks));
        });
    Files.writeString(folder.resolve("jmh.json"), scores.toPrettyString());
    return this;
  }

  private static ObjectNode metric(String unit, List<List<Double>> rawData) {
    ObjectNode metric = JSON.createObjectNode().put("scoreUnit", unit);
    ArrayNode raw = metric.putArray("rawData");
    for (List<Double> fork : rawData) {
      ArrayNode values = raw.addArray();
      fork.forEach(values::add);
    }
    return metric;
  }

  /** Writes an empty result file of JMH's, if there is none yet. */
  public SampleRun finished() throws IOException {
    if (Files.notExists(folder.resolve("jmh.json"))) {
      Files.writeString(folder.resolve("jmh.json"), "[ ]");
    }
    return this;
  }
}
