// SPDX-License-Identifier: Apache-2.0
package org.mitosis.result;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;

/**
 * Reads a result file by the rules of jmh-visualizer's sources of 2026 (functions/parse.js,
 * models/MetricExtractor.js, components/single/BarDataSet.js): the class is what is before the last
 * dot of the name; it puts the rest and the parameters into one text with blanks between, takes it
 * apart at blanks and equals signs, and looks at the raw data of every metric. A class is one
 * chart.
 */
public final class JmhVisualizer {
  private JmhVisualizer() {}

  /** Scores by class, method and parameters, of the primary metric and of the others. */
  public static Map<String, Double> read(JsonNode file) {
    assertTrue(file.isArray());
    Map<String, Double> scores = new LinkedHashMap<>();
    for (JsonNode entry : file) {
      String name = entry.get("benchmark").asText();
      assertTrue(classOf(entry).matches("[\\w.:$]+"), name);
      assertTrue(entry.get("mode").isTextual(), name);
      String[] parts = textOf(entry).split(" ");
      Map<String, String> seen = new TreeMap<>();
      for (int i = 1; i < parts.length; i++) {
        String[] pair = parts[i].split("=", -1);
        assertEquals(2, pair.length, name);
        seen.put(pair[0], pair[1]);
      }
      if (entry.has("params")) {
        Map<String, String> parameters = new TreeMap<>();
        for (Map.Entry<String, JsonNode> one : entry.get("params").properties()) {
          parameters.put(one.getKey(), one.getValue().asText());
        }
        assertEquals(parameters, seen);
      }
      String key = classOf(entry) + "." + parts[0] + seen;
      assertNull(scores.put(key, score(entry.get("primaryMetric"), key)), key);
      for (Map.Entry<String, JsonNode> metric : entry.get("secondaryMetrics").properties()) {
        String other = key + " " + metric.getKey();
        assertNull(scores.put(other, score(metric.getValue(), other)), other);
      }
    }
    return scores;
  }

  /** How many bars of primary metrics it draws; of two in the same place, the second one only. */
  public static int bars(JsonNode file) {
    Map<String, List<String[]>> charts = new LinkedHashMap<>();
    for (JsonNode entry : file) {
      charts
          .computeIfAbsent(classOf(entry), any -> new ArrayList<>())
          .add(textOf(entry).split(" "));
    }
    int bars = 0;
    for (List<String[]> entries : charts.values()) {
      Set<String> places = new HashSet<>();
      long methods = entries.stream().map(entry -> entry[0]).distinct().count();
      entries.forEach(entry -> places.add(place(entry, entries.get(0).length - 1, methods)));
      bars += places.size();
    }
    return bars;
  }

  /** Group and bar of an entry, if the first one of its class has that many parameters. */
  private static String place(String[] entry, int parameters, long methods) {
    String[] values = new String[entry.length - 1];
    for (int i = 0; i < values.length; i++) {
      values[i] = entry[i + 1].split("=", -1)[1];
    }
    if (parameters == 0) {
      return entry[0];
    }
    if (parameters == 1) {
      String first = values.length == 0 ? "" : values[0];
      return methods == 1 ? first : entry[0] + " " + first;
    }
    assertTrue(values.length > 0, () -> entry[0] + " has no parameters: no chart is drawn");
    if (parameters == 2 && methods == 1) {
      return values[0] + " " + values[1];
    }
    return (methods == 1 ? "" : entry[0] + " ") + String.join(":", values);
  }

  private static String classOf(JsonNode entry) {
    String name = entry.get("benchmark").asText();
    return name.substring(0, Math.max(0, name.lastIndexOf('.')));
  }

  private static String textOf(JsonNode entry) {
    String name = entry.get("benchmark").asText();
    StringBuilder text = new StringBuilder(name.substring(name.lastIndexOf('.') + 1));
    for (Map.Entry<String, JsonNode> one : entry.path("params").properties()) {
      text.append(' ').append(one.getKey()).append('=').append(one.getValue().asText());
    }
    return text.toString();
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
