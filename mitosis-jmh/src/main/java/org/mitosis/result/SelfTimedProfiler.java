// SPDX-License-Identifier: Apache-2.0
package org.mitosis.result;

import java.io.UncheckedIOException;
import java.nio.file.Path;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import org.mitosis.setting.MissingPrerequisite;
import org.openjdk.jmh.infra.BenchmarkParams;
import org.openjdk.jmh.infra.IterationParams;
import org.openjdk.jmh.profile.InternalProfiler;
import org.openjdk.jmh.results.AggregationPolicy;
import org.openjdk.jmh.results.IterationResult;
import org.openjdk.jmh.results.ScalarResult;
import org.openjdk.jmh.runner.IterationType;

/**
 * Makes secondary metrics of JMH of the times in {@link SelfTimed}, one for each metric and
 * iteration (the mean; times in us/op), and writes every time of the measured iterations to a
 * {@link HistogramLog}.
 *
 * <p>What the machine took away from an iteration becomes a metric, too, in % of its time: steal,
 * pressure on CPUs, memory and disks, a limit on CPU time, heat ({@link Counters}).
 *
 * <p>Our command line adds it to every run. From {@code org.openjdk.jmh.Main}, and so from an IDE,
 * add it with {@code -prof org.mitosis.result.SelfTimedProfiler}. Two of them do no harm: the first
 * takes the samples, the second finds none.
 */
public final class SelfTimedProfiler implements InternalProfiler {
  private static final double NS_PER_MS = 1e6;

  /** Less is not told of an iteration, in %. */
  private static final double LEAST_PERCENT = 0.1;

  private String benchmarkOfLog = "";
  private HistogramLog log;
  private int iterationsWithoutSamples;
  private Instant iterationStart = Instant.now();
  private String benchmarkOfContainer = "";
  private String container = "";
  private final MachineProbe machine;
  private Counters before;
  private long beforeNs;

  /** For JMH, which needs a public constructor. */
  public SelfTimedProfiler() {
    this(new MachineProbe(Path.of("/")));
  }

  /** Of a machine whose counters a test has written. */
  SelfTimedProfiler(MachineProbe machine) {
    this.machine = machine;
  }

  @Override
  public String getDescription() {
    return "Times that the benchmark or its helper processes measured themselves";
  }

  @Override
  public void beforeIteration(BenchmarkParams benchmark, IterationParams iteration) {
    SelfTimed.clear();
    before = machine.counters();
    beforeNs = System.nanoTime();
    iterationStart = Instant.now();
  }

  @Override
  public Collection<ScalarResult> afterIteration(
      BenchmarkParams benchmark, IterationParams iteration, IterationResult result) {
    List<SelfTimed.Samples> taken = SelfTimed.take();
    List<ScalarResult> lost = lost();
    noteContainer(benchmark);
    if (iteration.getType() == IterationType.MEASUREMENT) {
      keep(benchmark, taken);
    }
    List<ScalarResult> results = new ArrayList<>();
    taken.forEach(samples -> results.add(meanOf(samples)));
    for (SelfTimed.Values figure : SelfTimed.takeValues()) {
      results.add(
          new ScalarResult(figure.metric(), figure.mean(), figure.unit(), AggregationPolicy.AVG));
    }
    results.addAll(lost);
    return results;
  }

  /** What the iteration has lost of its time; nothing for what was not lost. */
  private List<ScalarResult> lost() {
    if (before == null) {
      return List.of();
    }
    double ms = (System.nanoTime() - beforeNs) / NS_PER_MS;
    return machine.counters().since(before, ms, machine.onlineCpus()).stream()
        .filter(lost -> lost.percent() >= LEAST_PERCENT)
        .map(lost -> new ScalarResult(lost.metric(), lost.percent(), "%", AggregationPolicy.AVG))
        .toList();
  }

  /** Launchers are started before the first iteration, or in it. */
  private void noteContainer(BenchmarkParams benchmark) {
    String said = SelfTimed.takeContainer();
    if (!said.isEmpty() || !benchmarkOfContainer.equals(benchmark.id())) {
      container = said;
      benchmarkOfContainer = benchmark.id();
    }
  }

  private static ScalarResult meanOf(SelfTimed.Samples samples) {
    return new ScalarResult(
        samples.metric(), samples.meanNs() / 1000, "us/op", AggregationPolicy.AVG);
  }

  private void keep(BenchmarkParams benchmark, List<SelfTimed.Samples> taken) {
    Optional<Path> directory = HistogramLog.directory();
    if (directory.isEmpty()) {
      return;
    }
    try {
      if (!benchmarkOfLog.equals(benchmark.id())) {
        benchmarkOfLog = benchmark.id();
        log = null;
        iterationsWithoutSamples = 0;
      }
      if (log == null && taken.isEmpty()) {
        iterationsWithoutSamples++;
        return;
      }
      if (log == null) {
        HistogramLog.Asked asked =
            new HistogramLog.Asked(
                Math.max(1, benchmark.getForks()), benchmark.getMeasurement().getCount());
        log =
            HistogramLog.create(
                directory.get(),
                benchmark.getBenchmark(),
                paramsOf(benchmark),
                asked,
                iterationStart,
                container);
        for (int i = 0; i < iterationsWithoutSamples; i++) {
          log.skip();
        }
      }
      log.append(taken, iterationStart, Instant.now());
    } catch (UncheckedIOException e) {
      // Fails the benchmark at once, instead of losing the samples of a long run.
      throw new MissingPrerequisite(e.getMessage());
    }
  }

  private static Map<String, String> paramsOf(BenchmarkParams benchmark) {
    Map<String, String> params = new TreeMap<>();
    for (String key : benchmark.getParamsKeys()) {
      params.put(key, benchmark.getParam(key));
    }
    return params;
  }
}
