// SPDX-License-Identifier: Apache-2.0
package org.mitosis.cluster;

import java.math.BigDecimal;
import java.math.MathContext;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.TreeMap;
import java.util.regex.Pattern;

/**
 * A line in the format of the MITOSIS artifact's programs, for tools that read its logs and tables.
 *
 * @param host the machine
 * @param text the line
 */
record ArtifactLine(String host, String text) {
  private static final double NS_PER_MS = 1e6;
  private static final double NS_PER_S = 1e9;
  private static final MathContext AS_CPP_PRINTS = new MathContext(6);
  private static final int HOST_WIDTH = 9;

  /** A prepare of the C program. */
  static ArtifactLine prepare(String host, long ns) {
    return new ArtifactLine(host, "Prepare time = " + ms(ns) + " ms");
  }

  /**
   * Work of the C program.
   *
   * @param phase cold, warm or cow
   */
  static ArtifactLine work(String host, String phase, long ns) {
    return new ArtifactLine(
        host, "[random " + phase + " start] Run time = " + ms(ns) + " ms; sum: 0");
  }

  /**
   * A call of a function.
   *
   * @param phase prepare or execution
   */
  static ArtifactLine function(String host, String name, String phase, long ns) {
    return new ArtifactLine(
        host, String.format(Locale.ROOT, "[%s-%s] duration: %.2f ms", name, phase, ns / NS_PER_MS));
  }

  /** The default format of a double in C++ streams. */
  private static String ms(long ns) {
    return new BigDecimal(ns / NS_PER_MS).round(AS_CPP_PRINTS).stripTrailingZeros().toPlainString();
  }

  /** The format of the artifact's logs. */
  @Override
  public String toString() {
    return "(u'@"
        + host
        + " ".repeat(Math.max(1, HOST_WIDTH + 1 - host.length()))
        + "', u'"
        + text
        + "')";
  }

  /**
   * The artifact's table.
   *
   * @param byTrace the lines of each row, by its name, in the order of the table
   * @param filter which lines are shown
   */
  static String table(Map<String, List<ArtifactLine>> byTrace, Pattern filter) {
    boolean numbers = byTrace.keySet().stream().allMatch(trace -> trace.matches("[0-9]+"));
    int width = byTrace.keySet().stream().mapToInt(String::length).max().orElse(0);
    width = Math.max(width, "trace".length());
    List<String> rows = new ArrayList<>();
    int all = 0;
    for (Map.Entry<String, List<ArtifactLine>> row : byTrace.entrySet()) {
      String first = padded(row.getKey(), width, numbers);
      for (ArtifactLine line : row.getValue()) {
        all++;
        if (filter.matcher(line.toString()).find()) {
          rows.add(first + "  " + line);
          first = " ".repeat(width);
        }
      }
    }
    if (rows.isEmpty()) {
      return all == 0
          ? ""
          : "FILTER '" + filter.pattern() + "' matches none of " + all + " lines; see log.txt\n";
    }
    int longest = rows.stream().mapToInt(String::length).max().orElse(0) - width - 2;
    return padded("trace", width, numbers)
        + "  data\n"
        + "-".repeat(width)
        + "  "
        + "-".repeat(Math.max(longest, 4))
        + "\n"
        + String.join("\n", rows)
        + "\n";
  }

  private static String padded(String text, int width, boolean right) {
    String padding = " ".repeat(width - text.length());
    return right ? padding + text : text + padding;
  }

  /** One line for each second of each loop, in the format of the artifact's launcher. */
  static final class Seconds {
    private final String host;
    private final String things;
    private final Map<String, Second> byLoop = new TreeMap<>();

    /**
     * The lines of a machine.
     *
     * @param things what is counted, such as containers
     */
    Seconds(String host, String things) {
      this.host = host;
      this.things = things;
    }

    /** Adds samples of a loop; returns the lines of the seconds that they complete. */
    List<ArtifactLine> add(Task.Samples samples, List<Long> times) {
      Second second = byLoop.computeIfAbsent(samples.loop(), loop -> new Second(samples.startNs()));
      List<ArtifactLine> lines = new ArrayList<>();
      for (int i = 0; i < times.size(); i++) {
        second.count += samples.each();
        second.totalNs += (double) times.get(i) * samples.each();
        double seconds = (samples.endNs().get(i) - second.startNs) / NS_PER_S;
        if (seconds >= 1) {
          lines.add(
              new ArtifactLine(
                  host,
                  String.format(
                      Locale.ROOT,
                      "[%s] Throughput: %f %s/sec, latency %f ms",
                      samples.loop(),
                      second.count / seconds,
                      things,
                      second.totalNs / NS_PER_MS / second.count)));
          second.restart(samples.endNs().get(i));
        }
      }
      return lines;
    }

    private static final class Second {
      private long startNs;
      private long count;
      private double totalNs;

      Second(long startNs) {
        restart(startNs);
      }

      void restart(long ns) {
        startNs = ns;
        count = 0;
        totalNs = 0;
      }
    }
  }
}
