// SPDX-License-Identifier: Apache-2.0
package org.mitosis.report;

import java.time.Duration;
import java.time.Instant;
import java.time.format.DateTimeParseException;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Function;
import java.util.stream.Collectors;
import org.mitosis.result.Environment;
import org.mitosis.result.Figure;
import org.mitosis.result.Run;

/** What a run measured, and where, in a few lines. */
final class WhatAndWhere {
  private WhatAndWhere() {}

  /** Each line by its name, without those that are unknown. */
  static Map<String, String> of(Run run) {
    Map<String, String> lines = new LinkedHashMap<>();
    List<Figure> figures = run.figures().stream().filter(figure -> !figure.isNote()).toList();
    lines.put(
        "measured",
        count(figures.size(), "figure")
            + " of "
            + count(figures.stream().map(Figure::shortName).distinct().count(), "benchmark"));
    run.environment()
        .ifPresent(
            one -> {
              put(lines, "when", one, WhatAndWhere::when);
              put(lines, "outcome", one, it -> it.outcome() + failed(run));
              put(lines, "machine", one, it -> it.machine().host());
              put(
                  lines,
                  "processor",
                  one,
                  it ->
                      count(it.machine().cpu().logical(), "CPU")
                          + ", "
                          + it.machine().cpu().model());
              put(
                  lines,
                  "memory",
                  one,
                  it ->
                      Quantity.number(it.machine().memory().totalBytes() / (double) (1 << 30))
                          + " GiB");
              put(
                  lines,
                  "system",
                  one,
                  it ->
                      it.machine().kernel().name()
                          + " "
                          + it.machine().kernel().release()
                          + (it.machine().distribution() == null
                              ? ""
                              : ", " + it.machine().distribution()));
              put(lines, "Java", one, it -> it.jvm().version());
              put(lines, "backend", one, it -> it.backend().chosen());
            });
    lines.putIfAbsent("outcome", "unknown, as its environment is" + failed(run));
    if (run.environments().size() > 1) {
      lines.put(
          "machines",
          run.environments().keySet().stream().sorted().collect(Collectors.joining(", ")));
    }
    return lines;
  }

  private static String failed(Run run) {
    return run.failed().isEmpty() ? "" : ", " + run.failed().size() + " failed";
  }

  private static String when(Environment environment) {
    String started = environment.started().replaceFirst("T(\\d\\d:\\d\\d).*", " $1 UTC");
    if (environment.ended() == null) {
      return started;
    }
    try {
      Duration took =
          Duration.between(
              Instant.parse(environment.started()), Instant.parse(environment.ended()));
      return started
          + ", "
          + (took.toMinutes() > 0
              ? count(took.toMinutes(), "minute")
              : count(took.toSeconds(), "second"));
    } catch (DateTimeParseException e) {
      return started;
    }
  }

  private static void put(
      Map<String, String> lines,
      String name,
      Environment environment,
      Function<Environment, String> line) {
    try {
      String text = line.apply(environment);
      if (text != null) {
        lines.put(name, text);
      }
    } catch (NullPointerException e) {
      // A part that is not known, or that another version did not write.
    }
  }

  private static String count(long number, String of) {
    return number + " " + of + (number == 1 ? "" : "s");
  }
}
