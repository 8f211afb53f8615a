// SPDX-License-Identifier: Apache-2.0
package org.mitosis.benchmark;

import java.util.concurrent.TimeUnit;
import org.mitosis.fixture.ParentProcess;
import org.mitosis.fixture.WarmFunction;
import org.mitosis.fixture.WarmJvm;
import org.mitosis.fixture.WorkingSet;
import org.mitosis.result.SelfTimed;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Fork;
import org.openjdk.jmh.annotations.Measurement;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Warmup;

/**
 * The cost of a prepare over that of fork(2), which every snapshot of memory on Linux needs: both
 * of the same parent, in turns, so that a disturbance of the machine affects both.
 *
 * <p>Run {@code ./bench PrepareOverFork} and divide the metric {@code prepare} by the metric {@code
 * fork}.
 *
 * <p>What can mislead: the primary score is one turn of both, with touching and unpreparing, and
 * says nothing about their ratio. At 1 MiB both are tens of microseconds, and the ratio shows what
 * a prepare does besides copying page tables: telling the daemon, writing the descriptor.
 */
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.MICROSECONDS)
@Warmup(iterations = 2, time = 300, timeUnit = TimeUnit.MILLISECONDS)
@Measurement(iterations = 10, time = 500, timeUnit = TimeUnit.MILLISECONDS)
@Fork(value = 3, jvmArgsAppend = JvmOptions.NATIVE_ACCESS)
public class PrepareOverFork {
  /** Made by JMH, which needs a public constructor. */
  public PrepareOverFork() {}

  /**
   * Runs these benchmarks alone, as {@code ./bench} does; for IDEs.
   *
   * @param args JMH's options
   * @throws Exception as {@code org.openjdk.jmh.Main} does
   */
  public static void main(String[] args) throws Exception {
    SingleClass.run(PrepareOverFork.class, args);
  }

  /** One prepare and one fork(2), each with the working set touched before. */
  @Benchmark
  public void turnByTurn(WorkingSet state) {
    turn(state.parent());
  }

  /** The same of a Python function, which is called before each; its fork is {@code os.fork()}. */
  @Benchmark
  public void function(WarmFunction state) {
    turn(state.parent());
  }

  /** The same of a warm JVM, after a collection before each. */
  @Benchmark
  public void jvm(WarmJvm state) {
    turn(state.parent());
  }

  private static void turn(ParentProcess parent) {
    parent.touchNs();
    SelfTimed.record("prepare", parent.prepareNs());
    parent.unprepareNs();
    parent.touchNs();
    SelfTimed.record("fork", parent.forkNs());
  }
}
