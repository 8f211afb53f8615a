// SPDX-License-Identifier: Apache-2.0
package org.mitosis.result;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.TreeMap;

/**
 * Reads a result file by the rules of jmh-visualizer's sources of 2026 (functions/parse.js,
 * models/MetricExtractor.js): it puts the name and the parameters into one text with blanks
 * between, takes it apart at blanks and equals signs, and looks at the raw data of every metric.
 */
public final class JmhVisualizer {
  private JmhVisualizer() {}

  /** Scores by class, method and parameters, of the primary metric and of the others. */
  public static Map<String, Double> read(JsonNode file) {
    assertTrue(file.isArray());
    Map<String, Double> scores = new LinkedHashMap<>();
    for (JsonNode entry : file) {
      String name = entry.get("benchmark").asText();
      assertTrue(name.lastIndexOf('.') > 0, name);
      assertTrue(entry.get("mode").isTextual(), name);
      Map<String, String> parameters = new TreeMap<>();
      StringBuilder text = new StringBuilder(name.substring(name.lastIndexOf('.') + 1));
      for (Map.Entry<String, JsonNode> one : entry.path("params").properties()) {
        parameters.put(one.getKey(), one.getValue().asText());
        text.append(' ').append(one.getKey()).append('=').append(one.getValue().asText());
      }
      String[] parts = text.toString().split(" ");
      Map<String, String> seen = new TreeMap<>();
      for (int i = 1; i < parts.length; i++) {
        String[] pair = parts[i].split("=", -1);
        assertEquals(2, pair.length, text::toString);
        seen.put(pair[0], pair[1]);
      }
      if (entry.has("params")) {
        assertEquals(parameters, seen);
      }
      String key = name + seen;
      assertNull(scores.put(key, score(entry.get("primaryMetric"), key)), key);
      for (Map.Entry<String, JsonNode> metric : entry.get("secondaryMetrics").properties()) {
        String other = key + " " + metric.getKey();
        assertNull(scores.put(other, score(metric.getValue(), other)), other);
      }
    }
    return scores;
  }

  private static double score(JsonNode metric, String key) {
    assertTrue(metric.get("score").isNumber(), key);
    assertTrue(metric.has("scoreError"), key);
    assertEquals(2, metric.get("scoreConfidence").size(), key);
    assertTrue(metric.get("scoreUnit").isTextual(), key);
    JsonNode raw =
        metric.has("rawDataHistogram") ? metric.get("rawDataHistogram") : metric.get("rawData");
    assertTrue(raw != null && raw.isArray() && !raw.isEmpty(), key);
    raw.forEach(fork -> assertTrue(fork.isArray() && !fork.isEmpty(), key));
    return metric.get("score").asDouble();
  }
}
