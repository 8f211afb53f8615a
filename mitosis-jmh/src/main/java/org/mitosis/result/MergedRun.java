// SPDX-License-Identifier: Apache-2.0
package org.mitosis.result;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.SerializationFeature;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.stream.Stream;
import org.mitosis.result.Environment.Outcome;
import org.openjdk.jmh.util.ListStatistics;
import org.openjdk.jmh.util.MultisetStatistics;
import org.openjdk.jmh.util.Statistics;

/**
 * Several runs of one fork each as one run with all their forks: each fork appears in its logs and
 * in JMH's results as a fork of its own.
 *
 * <p>The runs may be of another version of this program. What this version does not know of a file
 * is kept.
 */
public final class MergedRun {
  /** JMH's confidence of an error. */
  private static final double CONFIDENCE = 0.999;

  private static final ObjectMapper JSON =
      new ObjectMapper().enable(SerializationFeature.INDENT_OUTPUT);

  private MergedRun() {}

  /**
   * The machine before the first of the runs. In the middle of measurements its load is their own.
   *
   * @param state of the machine
   * @param warnings reasons why figures are less reliable
   */
  public record Start(MachineFacts.State state, List<String> warnings) {
    /** The machine now. */
    public static Start of(MachineProbe probe) {
      MachineFacts.State state = probe.state();
      return new Start(state, List.copyOf(Environment.warnings(probe.machine(), state)));
    }
  }

  /**
   * What only the one who started the runs knows of them together.
   *
   * @param forks number of forks that each benchmark was to have
   * @param outcome of all runs together
   * @param failed the benchmarks that gave no result, or not those of all forks
   * @param repeated what failed and was run again
   * @param leftOut what was not run, and why
   * @param commandLine the arguments as given
   * @param start the machine before the first run
   */
  public record Account(
      int forks,
      Outcome outcome,
      List<String> failed,
      List<String> repeated,
      List<String> leftOut,
      List<String> commandLine,
      Start start) {}

  /**
   * Writes the folder of the merged run. Earlier results in it are replaced.
   *
   * @param folder made if missing
   * @param runs the folders of complete runs, in the order of time; at least one
   * @throws IOException if a file cannot be read or written
   */
  public static void write(Path folder, List<Path> runs, Account account) throws IOException {
    ResultFolder merged = ResultFolder.existing(folder);
    Files.createDirectories(merged.histograms());
    for (Path old : logsIn(merged.histograms())) {
      Files.delete(old);
    }
    List<JsonNode> scores = new ArrayList<>();
    List<JsonNode> environments = new ArrayList<>();
    for (Path path : runs) {
      ResultFolder run = ResultFolder.existing(path);
      for (Path log : logsIn(run.histograms())) {
        HistogramLog.copyFork(log, merged.histograms(), account.forks());
      }
      scores.add(JSON.readTree(Files.readAllBytes(run.jmhJson())));
      environments.add(JSON.readTree(Files.readAllBytes(run.environment())));
    }
    String json = JSON.writeValueAsString(scores(scores, account.forks())) + "\n";
    merged.replace(merged.jmhJson(), json);
    merged.replace(
        merged.environment(), JSON.writeValueAsString(environment(environments, account)) + "\n");
    Run run = Run.read(folder);
    if (run.environment().isPresent()) {
      merged.replace(
          merged.table(), ArtifactTable.of(merged.histograms(), json, run.environment().get()));
    }
  }

  private static List<Path> logsIn(Path folder) throws IOException {
    if (!Files.isDirectory(folder)) {
      return List.of();
    }
    try (Stream<Path> files = Files.list(folder)) {
      return files.filter(file -> file.toString().endsWith(HistogramLog.SUFFIX)).sorted().toList();
    }
  }

  private static JsonNode environment(List<JsonNode> runs, Account account) {
    ObjectNode merged = runs.get(0).deepCopy();
    JsonNode last = runs.get(runs.size() - 1);
    merged.put("outcome", account.outcome().toString());
    for (String name : List.of("ended", "after")) {
      merged.set(name, last.path(name).deepCopy());
    }
    merged.set("before", JSON.valueToTree(account.start().state()));
    merged.set("failed", JSON.valueToTree(account.failed()));
    merged.set("repeated", JSON.valueToTree(account.repeated()));
    merged.set("leftOut", JSON.valueToTree(account.leftOut()));
    merged.set("commandLine", JSON.valueToTree(account.commandLine()));
    merged.set("warnings", JSON.valueToTree(warnings(runs, account.start().warnings())));
    return merged;
  }

  /** Of warnings that differ in their numbers only, the first one, and how many runs have one. */
  private static List<String> warnings(List<JsonNode> runs, List<String> ofStart) {
    Map<String, Set<String>> texts = new LinkedHashMap<>();
    Map<String, Integer> counts = new HashMap<>();
    for (JsonNode run : runs) {
      for (JsonNode warning : run.path("warnings")) {
        String text = warning.asText();
        if (!text.startsWith(Environment.BUSY) && !ofStart.contains(text)) {
          String kind = text.replaceAll("[0-9]+([.][0-9]+)?", "#");
          texts.computeIfAbsent(kind, any -> new LinkedHashSet<>()).add(text);
          counts.merge(kind, 1, Integer::sum);
        }
      }
    }
    List<String> all = new ArrayList<>(ofStart);
    texts.forEach(
        (kind, same) -> {
          String first = same.iterator().next();
          all.add(
              same.size() == 1
                  ? first
                  : first + " (in " + counts.get(kind) + " of " + runs.size() + " forks)");
        });
    return all;
  }

  /** One entry for each benchmark, mode and combination of parameters. */
  private static ArrayNode scores(List<JsonNode> runs, int forks) {
    Map<String, List<JsonNode>> same = new TreeMap<>();
    for (JsonNode run : runs) {
      for (JsonNode entry : run) {
        Map<String, String> params = new TreeMap<>();
        entry
            .path("params")
            .properties()
            .forEach(p -> params.put(p.getKey(), p.getValue().asText()));
        String key =
            entry.path("benchmark").asText() + " " + params + " " + entry.path("mode").asText();
        same.computeIfAbsent(key, any -> new ArrayList<>()).add(entry);
      }
    }
    ArrayNode all = JSON.createArrayNode();
    same.values().forEach(entries -> all.add(entry(entries, forks)));
    return all;
  }

  private static ObjectNode entry(List<JsonNode> entries, int forks) {
    ObjectNode merged = entries.get(0).deepCopy();
    merged.put("forks", forks);
    merged.set("primaryMetric", metric(named(entries, "primaryMetric")));
    Set<String> names = new TreeSet<>();
    List<JsonNode> secondary = named(entries, "secondaryMetrics");
    secondary.forEach(metrics -> metrics.fieldNames().forEachRemaining(names::add));
    ObjectNode metrics = merged.putObject("secondaryMetrics");
    names.forEach(name -> metrics.set(name, metric(named(secondary, name))));
    return merged;
  }

  private static List<JsonNode> named(List<JsonNode> nodes, String name) {
    return nodes.stream().filter(node -> node.has(name)).map(node -> node.get(name)).toList();
  }

  /**
   * The score is the mean of the forks' scores: JMH adds up the values of some metrics, and takes
   * the mean of others.
   */
  private static ObjectNode metric(List<JsonNode> forks) {
    ObjectNode merged = forks.get(0).deepCopy();
    String raw = merged.has("rawDataHistogram") ? "rawDataHistogram" : "rawData";
    ArrayNode data = merged.putArray(raw);
    forks.forEach(fork -> fork.path(raw).forEach(data::add));
    Statistics statistics = raw.equals("rawData") ? ofValues(data) : ofPairs(data);
    number(
        merged,
        "score",
        forks.stream()
            .mapToDouble(fork -> fork.path("score").asDouble(Double.NaN))
            .average()
            .orElse(Double.NaN));
    number(merged, "scoreError", statistics.getMeanErrorAt(CONFIDENCE));
    ArrayNode interval = merged.putArray("scoreConfidence");
    for (double bound : statistics.getConfidenceIntervalAt(CONFIDENCE)) {
      interval.add(node(bound));
    }
    JsonNode percentiles = merged.path("scorePercentiles").deepCopy();
    ObjectNode recomputed = merged.putObject("scorePercentiles");
    for (Iterator<String> names = percentiles.fieldNames(); names.hasNext(); ) {
      String name = names.next();
      number(recomputed, name, statistics.getPercentile(Double.parseDouble(name)));
    }
    return merged;
  }

  private static Statistics ofValues(ArrayNode forks) {
    ListStatistics statistics = new ListStatistics();
    forks.forEach(fork -> fork.forEach(value -> statistics.addValue(value.asDouble(Double.NaN))));
    return statistics;
  }

  /** Of pairs of a value and its count, the format of -bm sample. */
  private static Statistics ofPairs(ArrayNode forks) {
    MultisetStatistics statistics = new MultisetStatistics();
    for (JsonNode fork : forks) {
      for (JsonNode iteration : fork) {
        iteration.forEach(
            pair -> statistics.addValue(pair.path(0).asDouble(), pair.path(1).asLong()));
      }
    }
    return statistics;
  }

  private static void number(ObjectNode node, String name, double value) {
    node.set(name, node(value));
  }

  /** JMH writes what is not finite as text. */
  private static JsonNode node(double value) {
    return Double.isFinite(value)
        ? JSON.getNodeFactory().numberNode(value)
        : JSON.getNodeFactory().textNode(Double.toString(value));
  }
}
