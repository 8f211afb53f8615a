// SPDX-License-Identifier: Apache-2.0
package org.mitosis.result;

import java.io.IOException;
import java.io.OutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.TreeMap;
import org.openjdk.jmh.runner.BenchmarkList;
import org.openjdk.jmh.runner.BenchmarkListEntry;
import org.openjdk.jmh.runner.format.OutputFormatFactory;
import org.openjdk.jmh.runner.options.VerboseMode;

/**
 * Writes a folder as large as a complete run leaves it, to see how long reports and comparisons
 * take: every benchmark with all its parameters, six forks of five iterations, every metric that it
 * times, slices and samples as many as there would be. The times are invented.
 *
 * <pre>
 * java -cp mitosis-jmh/target/test-classes:mitosis-jmh/target/benchmarks.jar \
 *   org.mitosis.result.InventedRun DIR SEED
 * </pre>
 */
public final class InventedRun {
  private static final int FORKS = 6;
  private static final int ITERATIONS = 5;
  private static final long ITERATION_NS = 500_000_000;
  private static final long PEAK_NS = 10_000_000_000L;
  private static final double CHILDREN_PER_S = 5_000;
  private static final double FORK_DEVIATION = 0.02;
  private static final double DEVIATION = 0.2;
  private static final double TAIL = 0.01;

  /** What each class, or method, times, in us for a working set of 1 MiB or the least function. */
  private static final Map<String, Map<String, Double>> METRICS =
      Map.ofEntries(
          Map.entry("ForkPrepare", Map.of("prepare", 50.0)),
          Map.entry("ForkResume", Map.of("resume", 110.0, "startup", 250.0)),
          Map.entry("Execution.function", Map.of("execution", 400.0, "warm", 300.0)),
          Map.entry("Execution.workingSet", Map.of("execution", 300.0, "cow", 150.0)),
          Map.entry("FirstResult", Map.of("firstResult", 500.0, "startup", 700.0)),
          Map.entry("TouchRatio", Map.of("resume", 110.0, "startup", 250.0, "execution", 20_000.0)),
          Map.entry("StartupExecution", Map.of("startup", 900.0)),
          Map.entry("EmptyContainer", Map.of("startup", 80.0)),
          Map.entry("PrepareOverFork", Map.of("prepare", 50.0, "fork", 50.0)),
          Map.entry("HarnessOverhead", Map.of("prepare", 800.0)),
          Map.entry("HarnessOverhead.turnByTurn", Map.of("alone", 800.0, "driven", 800.0)),
          Map.entry("NilCall", Map.of("nil", 0.2)),
          Map.entry("NilRpc", Map.of("nilRpc", 30.0)),
          Map.entry("Baseline.fork", Map.of("fork", 50.0)),
          Map.entry("Baseline.uffdCopy", Map.of("uffdCopy", 300.0)),
          Map.entry("Baseline.tcpCopy", Map.of("tcpCopy", 600.0)),
          Map.entry("Baseline.spawn", Map.of("spawn", 650.0)),
          Map.entry("Baseline.jvmStart", Map.of("jvmStart", 40_000.0)),
          Map.entry("Baseline.coldStart", Map.of("coldStart", 20_000.0)),
          Map.entry("Baseline.pythonFork", Map.of("firstResult", 300.0, "startup", 400.0)),
          Map.entry("BaselineCriu.dump", Map.of("criuDump", 9_000.0)),
          Map.entry("BaselineCriu.restore", Map.of("criuRestore", 6_000.0)),
          Map.entry("BaselineCriu.functionDump", Map.of("criuDump", 17_000.0)),
          Map.entry(
              "BaselineCriu.functionRestore",
              Map.of("criuRestore", 12_000.0, "criuFirstResult", 13_000.0)),
          Map.entry(
              "BaselineCriu.functionLazy",
              Map.of("criuLazy", 13_000.0, "criuLazyFirstResult", 14_000.0)),
          Map.entry("BaselineCriu.lazy", Map.of("criuLazy", 7_000.0, "criuLazyTouch", 200.0)),
          Map.entry(
              "BaselineCriu.lazyTcp", Map.of("criuLazyTcp", 11_000.0, "criuLazyTcpTouch", 300.0)));

  private final SampleRun run;
  private final Random random;
  private long nowNs = System.nanoTime();

  private InventedRun(SampleRun run, Random random) {
    this.run = run;
    this.random = random;
  }

  /**
   * Writes one.
   *
   * @param args the folder, which must not exist; a number, of which runs that differ differ
   */
  public static void main(String[] args) throws IOException {
    SampleRun run =
        new SampleRun(Path.of(args[0])).environment("warnings", "all of these times are invented");
    InventedRun invented = new InventedRun(run, new Random(Long.parseLong(args[1])));
    PrintStream nowhere =
        new PrintStream(OutputStream.nullOutputStream(), false, StandardCharsets.UTF_8);
    for (BenchmarkListEntry entry :
        BenchmarkList.defaultList()
            .find(
                OutputFormatFactory.createFormatInstance(nowhere, VerboseMode.SILENT),
                List.of("org\\.mitosis\\.benchmark\\..*"),
                List.of())) {
      for (Map<String, String> params : combinations(entry)) {
        invented.add(entry.getUsername(), params);
      }
    }
  }

  private static List<Map<String, String>> combinations(BenchmarkListEntry entry) {
    List<Map<String, String>> all = new ArrayList<>(List.of(Map.of()));
    for (Map.Entry<String, String[]> param :
        entry.getParams().orElse(Map.<String, String[]>of()).entrySet()) {
      List<Map<String, String>> longer = new ArrayList<>();
      for (Map<String, String> one : all) {
        for (String value : param.getValue()) {
          Map<String, String> with = new TreeMap<>(one);
          with.put(param.getKey(), value);
          longer.add(with);
        }
      }
      all = longer;
    }
    return all;
  }

  private void add(String benchmark, Map<String, String> params) throws IOException {
    String method =
        benchmark.substring(benchmark.lastIndexOf('.', benchmark.lastIndexOf('.') - 1) + 1);
    boolean peak = method.startsWith("PeakThroughput");
    double growth =
        params.containsKey("memorySize")
            ? Long.parseLong(params.get("memorySize")) / (double) (1 << 20)
            : 1 + Math.floorMod(params.getOrDefault("functionName", "").hashCode(), 100);
    List<List<Double>> scores = new ArrayList<>();
    for (int fork = 0; fork < FORKS; fork++) {
      double level = Math.exp(random.nextGaussian() * FORK_DEVIATION);
      HistogramLog log =
          HistogramLog.create(run.folder().resolve("hlog"), benchmark, params, SampleRun.START);
      Instant from = SampleRun.START;
      List<Double> ofFork = new ArrayList<>();
      for (int iteration = 0; iteration < (peak ? 1 : ITERATIONS); iteration++) {
        Instant to = from.plusNanos(peak ? PEAK_NS : ITERATION_NS);
        List<SelfTimed.Samples> samples = new ArrayList<>();
        if (peak) {
          samples.add(samples("child", 2_000 * level, 1e9 / CHILDREN_PER_S, PEAK_NS));
          samples.add(samples("startup", 2_000 * level, 1, 30_000));
        } else {
          metrics(method)
              .forEach(
                  (metric, us) -> {
                    double ns = us * 1_000 * level * (metric.equals("resume") ? 1 : growth);
                    samples.add(samples(metric, ns / 1_000, ns, ITERATION_NS));
                  });
        }
        log.append(samples, from, to);
        from = to;
        ofFork.add(samples.get(0).meanNs() / 1_000);
      }
      scores.add(ofFork);
    }
    Map<String, List<Double>> notes = new TreeMap<>();
    if (peak) {
      for (int fork = 0; fork < FORKS; fork++) {
        double peakOfFork = CHILDREN_PER_S * (1 + random.nextGaussian() * FORK_DEVIATION);
        Map.of("peak", peakOfFork, "stable", 1.0, "stableFrom", 1.0, "stableTo", 9.0)
            .forEach(
                (name, value) -> notes.computeIfAbsent(name, key -> new ArrayList<>()).add(value));
      }
    }
    run.score(benchmark, params, "us/op", scores, notes, "ops/s");
  }

  private static Map<String, Double> metrics(String method) {
    String className = method.substring(0, method.indexOf('.'));
    Map<String, Double> metrics = METRICS.getOrDefault(method, METRICS.get(className));
    if (metrics == null) {
      throw new IllegalStateException("what " + method + " times is not in the table: add it");
    }
    return metrics;
  }

  /** Operations one after the other, or one in each {@code everyNs}, until the time is over. */
  private SelfTimed.Samples samples(String metric, double us, double everyNs, long lengthNs) {
    SelfTimed.Metric samples = new SelfTimed.Metric(metric);
    long startNs = nowNs;
    do {
      double tail = random.nextDouble() < TAIL ? 3 : 1;
      long ns = (long) (us * 1_000 * tail * Math.exp(random.nextGaussian() * DEVIATION));
      if (metric.equals("child")) {
        samples.addEnded(Math.max(1, ns), nowNs);
      } else {
        samples.add(Math.max(1, ns), 1, nowNs);
      }
      nowNs += (long) Math.max(everyNs * 2 * random.nextDouble(), 1);
    } while (nowNs < startNs + lengthNs);
    SelfTimed.Samples taken = samples.take();
    return new SelfTimed.Samples(
        metric, taken.totalNs(), taken.operations(), taken.slices(), taken.lastNs(), nowNs);
  }
}
