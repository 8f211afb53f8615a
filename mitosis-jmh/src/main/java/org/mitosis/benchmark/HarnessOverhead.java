// SPDX-License-Identifier: Apache-2.0
package org.mitosis.benchmark;

import java.util.concurrent.TimeUnit;
import org.mitosis.fixture.MemorySize;
import org.mitosis.fixture.ParentProcess;
import org.mitosis.fixture.Preflight;
import org.mitosis.result.SelfTimed;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Fork;
import org.openjdk.jmh.annotations.Measurement;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Param;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.Warmup;
import org.openjdk.jmh.infra.ThreadParams;

/**
 * Whether the harness changes what a parent measures: the same program prepares itself as often on
 * the harness's commands as by itself.
 *
 * <p>Run {@code ./bench HarnessOverhead} and compare {@code driven} and {@code alone} of {@code
 * turnByTurn}, by their medians. Each parent is a fresh one, because pages that happen to lie well
 * in memory stay there for a parent's whole life.
 *
 * <p>What can mislead:
 *
 * <ul>
 *   <li>The primary scores are the whole life of a parent, start and first touch included, in which
 *       talking to it does show.
 *   <li>At small sizes being driven does show: the parent has just slept, and some microseconds for
 *       cold caches are much in the few tens that a prepare of 1 MiB takes.
 *   <li>The methods {@code driven} and {@code alone} run one after the other; between them a noisy
 *       machine changes more than the harness does.
 *   <li>With more to run than there are CPUs, a program that never sleeps is interrupted in the
 *       middle of its calls, and one that waits for commands is not: then {@code alone} looks
 *       slower.
 * </ul>
 */
@BenchmarkMode(Mode.SingleShotTime)
@OutputTimeUnit(TimeUnit.MICROSECONDS)
@Warmup(iterations = 2)
@Measurement(iterations = 10)
@Fork(value = 3, jvmArgsAppend = JvmOptions.NATIVE_ACCESS)
public class HarnessOverhead {
  /** Samples that each parent gives. */
  private static final int PREPARES = 25;

  /** Made by JMH, which needs a public constructor. */
  public HarnessOverhead() {}

  /**
   * Runs these benchmarks alone, as {@code ./bench} does; for IDEs.
   *
   * @param args JMH's options
   * @throws Exception as {@code org.openjdk.jmh.Main} does
   */
  public static void main(String[] args) throws Exception {
    SingleClass.run(HarnessOverhead.class, args);
  }

  /** Every step on the harness's command. */
  @Benchmark
  public void driven(Size state) {
    driven(state, "prepare");
  }

  /** Without the harness, which only reads the times at the end. */
  @Benchmark
  public void alone(Size state) {
    alone(state, "prepare");
  }

  /** Both in turns; the one that was last comes first the next time. */
  @Benchmark
  public void turnByTurn(Turns state) {
    state.aloneFirst = !state.aloneFirst;
    if (state.aloneFirst) {
      alone(state, "alone");
      driven(state, "driven");
    } else {
      driven(state, "driven");
      alone(state, "alone");
    }
  }

  private static void driven(Size state, String metric) {
    try (ParentProcess parent = state.parent().start()) {
      for (int i = 0; i < PREPARES; i++) {
        parent.touchNs();
        SelfTimed.record(metric, parent.prepareNs());
        parent.unprepareNs();
      }
    }
  }

  private static void alone(Size state, String metric) {
    for (long ns : state.parent().runAlone(PREPARES)) {
      SelfTimed.record(metric, ns);
    }
  }

  /** The size of the parents, and whose turn it is. */
  @State(Scope.Thread)
  public static class Turns extends Size {
    private boolean aloneFirst;

    /** Made by JMH, which needs a public constructor. */
    public Turns() {}
  }

  /** The size of the parents. */
  @State(Scope.Thread)
  public static class Size {
    /** As {@link MemorySize#parse} reads it. */
    @Param("67108864")
    public String memorySize;

    private MemorySize size;
    private int handlerId;

    /** Made by JMH, which needs a public constructor. */
    public Size() {}

    /** Reads and checks it. */
    @Setup
    public void check(ThreadParams thread) {
      size = Preflight.memorySize(memorySize);
      handlerId = ParentProcess.DEFAULT_HANDLER_ID + thread.getThreadIndex();
    }

    private ParentProcess.Builder parent() {
      return ParentProcess.of(size).handlerId(handlerId);
    }
  }
}
