// SPDX-License-Identifier: Apache-2.0
package org.mitosis.cli;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.mitosis.result.HistogramLog;
import org.openjdk.jmh.infra.BenchmarkParams;
import org.openjdk.jmh.results.BenchmarkResult;
import org.openjdk.jmh.results.BenchmarkResultMetaData;
import org.openjdk.jmh.results.RunResult;

/**
 * Compares what JMH has kept with what the run asked for. Of a fork that fails, JMH keeps the
 * iterations before the failure, or nothing; it says so in its output only. Here a fork counts only
 * with all its iterations.
 */
final class ForkCheck {
  /** JMH and the logs round times to ms. */
  private static final long ROUNDING_MS = 2;

  private ForkCheck() {}

  /** The benchmarks that lack forks, with what there is, such as {@code 2 of 3 forks}. */
  static Map<Selection.Item, String> incomplete(Collection<RunResult> results) {
    Map<Selection.Item, String> incomplete = new LinkedHashMap<>();
    for (RunResult result : results) {
      BenchmarkParams params = result.getParams();
      int asked = Math.max(1, params.getForks());
      long received = wholeForks(result).size();
      if (received < asked) {
        incomplete.put(Selection.Item.of(result), received + " of " + asked + " forks");
      }
    }
    return incomplete;
  }

  private static List<BenchmarkResult> wholeForks(RunResult result) {
    int iterations = result.getParams().getMeasurement().getCount();
    return result.getBenchmarkResults().stream()
        .filter(fork -> fork.getIterationResults().size() >= iterations)
        .toList();
  }

  /** A time of day, in ms since 1970. */
  private record Span(long fromMs, long toMs) {
    boolean contains(long ms) {
      return ms >= fromMs - ROUNDING_MS && ms <= toMs + ROUNDING_MS;
    }
  }

  /** A benchmark with its parameters. */
  private record Name(String benchmark, Map<String, String> params) {}

  /**
   * Marks the log of each fork that does not count: of one that failed, and of a warm-up fork.
   *
   * @param histograms the folder of the logs
   * @param ran the benchmarks that have run, with or without a result
   */
  static void markAborted(Collection<RunResult> results, Set<Selection.Item> ran, Path histograms)
      throws IOException {
    if (!Files.isDirectory(histograms)) {
      return;
    }
    Map<Name, List<Span>> kept = new HashMap<>();
    ran.forEach(
        item ->
            kept.put(new Name(item.benchmark(), Map.copyOf(item.parameters())), new ArrayList<>()));
    Set<Name> unknown = new LinkedHashSet<>();
    for (RunResult result : results) {
      Selection.Item item = Selection.Item.of(result);
      Name name = new Name(item.benchmark(), Map.copyOf(item.parameters()));
      for (BenchmarkResult fork : wholeForks(result)) {
        BenchmarkResultMetaData times = fork.getMetadata();
        if (times == null) {
          unknown.add(name);
        } else {
          kept.computeIfAbsent(name, any -> new ArrayList<>())
              .add(new Span(times.getWarmupTime(), times.getStopTime()));
        }
      }
    }
    kept.keySet().removeAll(unknown);
    Set<String> aborted = new LinkedHashSet<>();
    for (HistogramLog.Series series : HistogramLog.read(histograms).series()) {
      List<Span> spans = kept.get(new Name(series.benchmark(), series.params()));
      long start = series.log().startMs();
      if (spans != null
          && !series.log().aborted()
          && spans.stream().noneMatch(span -> span.contains(start))) {
        aborted.add(series.log().file());
      }
    }
    for (String file : aborted) {
      HistogramLog.markAborted(histograms.resolve(file));
    }
  }
}
