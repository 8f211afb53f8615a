// SPDX-License-Identifier: Apache-2.0
package org.mitosis.benchmark;

import java.util.concurrent.TimeUnit;
import org.mitosis.fixture.ChildLauncher;
import org.mitosis.fixture.Needs;
import org.mitosis.fixture.ParentProcess;
import org.mitosis.fixture.Preflight;
import org.mitosis.fixture.RemoteFork;
import org.mitosis.fixture.RemoteForkState;
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

/**
 * How the cost of a child depends on the share of pages that it touches: what fetching on demand
 * saves, and from which share on fetching all pages first is faster.
 *
 * <p>Run {@code ./bench TouchRatio -p resumeMode=lazy,eager}. The figures are the metrics {@code
 * resume}, {@code execution} and {@code startup}, as in {@link ForkResume} and {@link Execution}.
 *
 * <p>What can mislead:
 *
 * <ul>
 *   <li>The pages of a ratio are the first of a random order, so they lie scattered: a program with
 *       its data together touches fewer prefetch windows than this one at the same ratio.
 *   <li>With windows of 64 pages, a quarter of the pages at random lies in practically every
 *       window: from there on the figure hardly rises. {@code -p prefetch=1,64} shows it.
 *   <li>At ratio 0 the child has no work, and there is no execution to show.
 * </ul>
 */
@Needs(workingSets = 2, userfaultfd = true)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.MICROSECONDS)
@Warmup(iterations = 2, time = 300, timeUnit = TimeUnit.MILLISECONDS)
@Measurement(iterations = 10, time = 250, timeUnit = TimeUnit.MILLISECONDS)
@Fork(value = 3, jvmArgsAppend = JvmOptions.NATIVE_ACCESS)
public class TouchRatio {
  /** Made by JMH, which needs a public constructor. */
  public TouchRatio() {}

  /**
   * Runs these benchmarks alone, as {@code ./bench} does; for IDEs.
   *
   * @param args JMH's options
   * @throws Exception as {@code org.openjdk.jmh.Main} does
   */
  public static void main(String[] args) throws Exception {
    SingleClass.run(TouchRatio.class, args);
  }

  /** A child touches a share of its pages. */
  @Benchmark
  public void workingSet(Share state) {
    ChildLauncher.Times times = state.fork().launcher().launch();
    SelfTimed.record("resume", times.resumeNs());
    SelfTimed.record("startup", times.startupNs());
    if (state.share() > 0) {
      SelfTimed.record("execution", times.executionNs());
    }
  }

  /** A parent whose children touch a share of their pages. */
  @State(Scope.Thread)
  public static class Share extends RemoteForkState {

    /** As {@link org.mitosis.fixture.MemorySize#parse} reads it. */
    @Param("67108864")
    public String memorySize;

    /** Percent of the pages, 0 to 100. */
    @Param({"0", "25", "50", "75", "100"})
    public String touchRatio;

    /** Made by JMH, which needs a public constructor. */
    public Share() {}

    /** Starts machines, parent and launchers. */
    @Setup
    public void start() {
      start(RemoteFork.of(Preflight.memorySize(memorySize, 2)));
    }

    @Override
    protected void describe(RemoteFork.Builder builder) {
      builder.touchRatio(share());
      if (share() > 0) {
        builder.childWork(ParentProcess.ChildWork.WORK);
      }
    }

    private int share() {
      return Preflight.touchRatio(touchRatio);
    }
  }
}
