// SPDX-License-Identifier: Apache-2.0
package org.mitosis.result;

import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.JsonToken;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.mitosis.stats.Summary;

/** Reads the readable part of the result file that JMH writes with {@code -rf json}. */
final class JmhJson {
  private static final ObjectMapper JSON = new ObjectMapper();

  /** The units of JMH's times, in ns. */
  private static final Map<String, Double> NS_PER_OPERATION =
      Map.of(
          "ns/op", 1.0,
          "us/op", 1e3,
          "ms/op", 1e6,
          "s/op", 1e9,
          "min/op", 60e9,
          "hr/op", 3600e9,
          "day/op", 86_400e9);

  private static final String NOT_OF_JMH =
      " is not a result file of JMH: run with -rf json, or name another";

  private JmhJson() {}

  /**
   * Reads the figures.
   *
   * @param file its name, for the messages
   * @param problems a message for each part that cannot be read
   */
  static List<Figure> read(String file, byte[] content, List<String> problems) throws IOException {
    List<Figure> figures = new ArrayList<>();
    int entries = 0;
    boolean begun = false;
    try (JsonParser parser = JSON.createParser(content)) {
      if (parser.nextToken() != JsonToken.START_ARRAY) {
        problems.add(file + NOT_OF_JMH);
        return figures;
      }
      begun = true;
      while (parser.nextToken() == JsonToken.START_OBJECT) {
        JsonNode entry = JSON.readTree(parser);
        entries++;
        if (entry.path("benchmark").isTextual() && entry.path("primaryMetric").isObject()) {
          add(entry, figures);
        } else {
          problems.add(file + ": entry " + entries + " is not in JMH's format and is left out");
        }
      }
    } catch (JsonProcessingException e) {
      problems.add(
          !begun
              ? file + NOT_OF_JMH
              : file
                  + " is damaged after "
                  + entries
                  + " results, and what follows is left out: "
                  + e.getOriginalMessage().replaceAll("\\s+", " "));
    }
    return figures;
  }

  private static void add(JsonNode entry, List<Figure> figures) {
    Map<String, String> written = new TreeMap<>();
    entry
        .path("params")
        .properties()
        .forEach(one -> written.put(one.getKey(), one.getValue().asText()));
    Map<String, String> params = OlderResults.completed(written);
    String benchmark = entry.get("benchmark").asText();
    // With -f 0 the benchmark runs in the JVM of the command, which counts as its fork.
    int asked = entry.has("forks") ? Math.max(1, entry.get("forks").asInt()) : 0;
    List<Boolean> whole = wholeForks(entry);
    figures.add(
        figure(benchmark, params, Figure.SCORE, entry.get("primaryMetric"), whole).asked(asked));
    entry
        .path("secondaryMetrics")
        .properties()
        .forEach(
            metric ->
                figures.add(
                    figure(benchmark, params, metric.getKey(), metric.getValue(), whole)
                        .asked(asked)));
  }

  /** For each fork, whether it has all its iterations: JMH keeps those before a failure. */
  private static List<Boolean> wholeForks(JsonNode entry) {
    int iterations = entry.path("measurementIterations").asInt(0);
    List<Boolean> whole = new ArrayList<>();
    rawData(entry.get("primaryMetric")).forEach(fork -> whole.add(fork.size() >= iterations));
    return whole;
  }

  private static JsonNode rawData(JsonNode metric) {
    return metric.has("rawData") ? metric.get("rawData") : metric.path("rawDataHistogram");
  }

  private static Figure figure(
      String benchmark,
      Map<String, String> params,
      String name,
      JsonNode metric,
      List<Boolean> whole) {
    String unit = metric.path("scoreUnit").asText();
    double ns = NS_PER_OPERATION.getOrDefault(unit, 1.0);
    List<Figure.Fork> forks = new ArrayList<>();
    JsonNode rawData = rawData(metric);
    int number = 0;
    for (JsonNode fork : rawData) {
      number++;
      if (rawData.size() == whole.size() && !whole.get(number - 1)) {
        continue;
      }
      List<Figure.Point> points = new ArrayList<>();
      for (JsonNode iteration : fork) {
        double value = iteration.isNumber() ? iteration.asDouble() : medianOf(iteration);
        points.add(new Figure.Point(points.size() + 1, 0, 0, value * ns, null));
      }
      forks.add(new Figure.Fork(number, points));
    }
    return new Figure(
        benchmark, params, name, NS_PER_OPERATION.containsKey(unit) ? Figure.NS : unit, forks);
  }

  /** The mean of pairs of a value and its count, the format of -bm sample. */
  private static double medianOf(JsonNode pairs) {
    List<double[]> values = new ArrayList<>();
    long all = 0;
    for (JsonNode pair : pairs) {
      values.add(new double[] {pair.path(0).asDouble(), pair.path(1).asDouble()});
      all += pair.path(1).asLong();
    }
    values.sort((a, b) -> Double.compare(a[0], b[0]));
    double seen = 0;
    for (double[] value : values) {
      seen += value[1];
      if (seen * 2 >= all) {
        return value[0];
      }
    }
    return Summary.NONE.median();
  }
}
