// SPDX-License-Identifier: Apache-2.0
package org.mitosis.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.ByteArrayOutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * Exported files follow the published rules of their readers: what github-action-benchmark's
 * extractCustomBenchmarkResult takes, and the JSON schema at bencher.dev/bmf.json with the longest
 * names of its reference.
 */
class ExportCommandTest {
  private static final Path RUN = Path.of("src/test/resources/formats/2");

  /** The longest names of benchmarks and of measures. */
  private static final int BENCHER_NAME_MAX = 1024;

  private static final int BENCHER_MEASURE_MAX = 64;

  @TempDir private Path folder;
  private final ByteArrayOutputStream out = new ByteArrayOutputStream();
  private final ByteArrayOutputStream err = new ByteArrayOutputStream();

  @Test
  void theListOfTheActionHasUniqueNamesWithMetricAndParameters() throws Exception {
    JsonNode list = exported("customSmallerIsBetter");
    assertTrue(list.isArray());
    Set<String> names = new HashSet<>();
    for (JsonNode one : list) {
      assertTrue(one.get("name").isTextual() && names.add(one.get("name").asText()), one::toString);
      assertTrue(one.get("value").isNumber(), one::toString);
      assertTrue(one.get("unit").isTextual(), one::toString);
      assertFalse(one.get("unit").asText().startsWith("ops/"), one::toString);
      assertTrue(!one.has("range") || one.get("range").isTextual(), one::toString);
      assertTrue(one.get("extra").isTextual(), one::toString);
    }
    assertTrue(
        names.contains(
            "ForkResume.workingSet memorySize=1048576 protection=sealed transport=tcp · resume"),
        names::toString);
  }

  @Test
  void bencherGetsEachMetricAsAMeasure() throws Exception {
    JsonNode root = exported("bmf");
    assertTrue(root.isObject() && !root.isEmpty());
    Set<String> measures = new HashSet<>();
    for (Map.Entry<String, JsonNode> benchmark : root.properties()) {
      assertTrue(benchmark.getKey().length() <= BENCHER_NAME_MAX, benchmark::getKey);
      assertTrue(benchmark.getValue().isObject() && !benchmark.getValue().isEmpty());
      for (Map.Entry<String, JsonNode> measure : benchmark.getValue().properties()) {
        measures.add(measure.getKey());
        assertTrue(measure.getKey().length() <= BENCHER_MEASURE_MAX, measure::getKey);
        JsonNode metric = measure.getValue();
        assertTrue(metric.get("value").isNumber(), metric::toString);
        assertEquals(metric.has("lower_value"), metric.has("upper_value"));
        if (metric.has("lower_value")) {
          double value = metric.get("value").doubleValue();
          assertTrue(metric.get("lower_value").doubleValue() <= value, metric::toString);
          assertTrue(metric.get("upper_value").doubleValue() >= value, metric::toString);
        }
      }
    }
    assertTrue(measures.contains("resume"), measures::toString);
  }

  @Test
  void ourOwnFormatHasParametersApart() throws Exception {
    for (JsonNode one : exported("json")) {
      assertTrue(one.get("benchmark").asText().startsWith("org.mitosis."), one::toString);
      assertTrue(one.get("params").isObject() && one.get("median").isNumber(), one::toString);
    }
  }

  @Test
  void writesToAFile() throws Exception {
    Path file = folder.resolve("bench ü.json");
    assertEquals(0, run("--format", "bmf", "-o", file.toString(), RUN.toString()), err::toString);
    assertEquals("", out.toString(StandardCharsets.UTF_8));
    assertTrue(new ObjectMapper().readTree(Files.readString(file)).isObject());
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "--format bmg results | there is no format 'bmg' (did you mean 'bmf'?)",
        "--format bmf | missing required parameter: 'RUN': see export --help",
        "results | missing required option: '--format=FORMAT': see export --help",
        "--format | missing required parameter for option '--format' (FORMAT)",
        "--format bmf --fromat results | there is no option --fromat (did you mean '--format'?)",
        "--format bmf one two | unexpected argument 'two'",
      })
  void badArgumentsAreOneLine(String line) {
    String[] parts = line.split(" [|] ");
    assertEquals(2, run(parts[0].split(" ")));
    assertTrue(
        err.toString(StandardCharsets.UTF_8).startsWith("mitosis: ")
            && err.toString(StandardCharsets.UTF_8).contains(parts[1]),
        err::toString);
    assertEquals("", out.toString(StandardCharsets.UTF_8));
  }

  @Test
  void aRunThatIsNotThereIsOneLine() {
    assertEquals(1, run("--format", "bmf", "no/such/run"));
    String said = err.toString(StandardCharsets.UTF_8);
    assertTrue(said.matches("mitosis: .*no/such/run.*\\n"), said);
  }

  @Test
  void aFileThatCannotBeWrittenIsNamedWithTheReason() throws Exception {
    Path file = folder.resolve("file");
    Files.writeString(file, "");
    for (String to : List.of("no/such/folder/x", file + "/x", folder.toString())) {
      err.reset();
      assertEquals(1, run("--format", "bmf", "-o", to, RUN.toString()), to);
      String said = err.toString(StandardCharsets.UTF_8);
      assertTrue(said.matches("(?s).*mitosis: \\Q" + to + "\\E: [A-Za-z][a-z ]+\\n"), said);
    }
  }

  private JsonNode exported(String format) throws Exception {
    assertEquals(0, run("--format", format, RUN.toString()), err::toString);
    return new ObjectMapper().readTree(out.toString(StandardCharsets.UTF_8));
  }

  private int run(String... args) {
    return BenchCommands.run(
            new ExportCommand(stream(out), stream(err)), stream(out), stream(err), args)
        .number();
  }

  private static PrintStream stream(ByteArrayOutputStream bytes) {
    return new PrintStream(bytes, true, StandardCharsets.UTF_8);
  }
}
