// SPDX-License-Identifier: Apache-2.0
package org.mitosis.report;

import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import org.mitosis.result.ReferenceFigures;

/** What figures are called in titles and on axes. */
final class Words {
  private static final Map<String, String> AXES =
      Map.of(
          "prepare", "prepare time",
          "resume", "resume time",
          "startup", "startup time",
          "execution", "execution time",
          "firstResult", "time to first result");

  private static final Map<String, String> TITLES =
      Map.ofEntries(
          Map.entry("prepare", "Prepare: how long the parent stands still"),
          Map.entry("resume", "Resume: until the child's first instruction"),
          Map.entry("startup", "Startup: from the request until the child has ended"),
          Map.entry("execution", "Execution: the child touches all its pages"),
          Map.entry("firstResult", "First result: from resume until the handler's first result"),
          Map.entry("criuDump", "CRIU: dump of the parent"),
          Map.entry("criuRestore", "CRIU: restore of the child"),
          Map.entry("criuRestoreTouch", "CRIU: the restored child touches all its pages"),
          Map.entry("criuLazyTouch", "CRIU, lazy pages: the child touches all its pages"),
          Map.entry("criuLazyTcpTouch", "CRIU, lazy pages over TCP: the child touches all pages"));

  private Words() {}

  /** A sentence on a metric, or the words of its name. */
  static String title(String metric) {
    return TITLES.getOrDefault(metric, sentence(plain(metric)));
  }

  /** The title of an axis of milliseconds. */
  static String axis(String metric) {
    return AXES.getOrDefault(metric, plain(metric)) + ", ms";
  }

  /** The words of a name, such as {@code first result} of {@code firstResult}. */
  static String plain(String name) {
    String words = name.replaceAll("(?<=[a-z])(?=[A-Z])", " ");
    String lower = words.equals(name) ? name : words.toLowerCase(Locale.ROOT);
    return lower.replace("criu", "CRIU").replace("tcp", "TCP");
  }

  private static String sentence(String words) {
    return words.isEmpty()
        ? words
        : words.substring(0, 1).toUpperCase(Locale.ROOT) + words.substring(1);
  }

  /** What the line of published figures is, for a caption. */
  static String published(String hosts, String metric) {
    Optional<String> difference = ReferenceFigures.difference(metric);
    return " Published, "
        + hosts
        + ": medians of the figures in the MITOSIS artifact's documentation"
        + difference.map(text -> " (" + text + ")").orElse(", with the same definition")
        + ".";
  }

  /** Below charts of medians. */
  static final String MEDIANS =
      "Points: medians over the forks' medians. Bars: their bootstrap intervals, from three forks"
          + " on; the table has their confidence.";
}
