// SPDX-License-Identifier: Apache-2.0
package org.mitosis.benchmark;

import java.util.concurrent.TimeUnit;
import org.mitosis.fixture.Needs;
import org.mitosis.fixture.ParentProcess;
import org.mitosis.fixture.RemoteFork;
import org.mitosis.fixture.RemoteFunction;
import org.mitosis.fixture.RemoteWorkingSet;
import org.mitosis.result.SelfTimed;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Fork;
import org.openjdk.jmh.annotations.Measurement;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.Warmup;

/**
 * Time from the resume call to the child's first result: resume and its first page.
 *
 * <p>Run {@code ./bench FirstResult -p resumeMode=lazy,eager}. The figure is the metric {@code
 * firstResult}, from before the call that resumes to the end of the first page's work, by the clock
 * of launcher and child.
 *
 * <p>What can mislead: the page is the first of a random order, one that the resume itself had no
 * reason to fetch; with {@code -p prefetch=512} two megabytes are fetched for it.
 */
@Needs(workingSets = 2, userfaultfd = true)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.MICROSECONDS)
@Warmup(iterations = 2, time = 300, timeUnit = TimeUnit.MILLISECONDS)
@Measurement(iterations = 10, time = 250, timeUnit = TimeUnit.MILLISECONDS)
@Fork(value = 3, jvmArgsAppend = JvmOptions.NATIVE_ACCESS)
public class FirstResult {
  /** Made by JMH, which needs a public constructor. */
  public FirstResult() {}

  /**
   * Runs these benchmarks alone, as {@code ./bench} does; for IDEs.
   *
   * @param args JMH's options
   * @throws Exception as {@code org.openjdk.jmh.Main} does
   */
  public static void main(String[] args) throws Exception {
    SingleClass.run(FirstResult.class, args);
  }

  /** A child of a C program with a working set touches its first pages. */
  @Benchmark
  public void workingSet(FirstPages state) {
    SelfTimed.record("firstResult", state.fork().launcher().launch().firstResultNs());
  }

  /** A child of a Python function has its result. */
  @Benchmark
  public void function(Calling state) {
    SelfTimed.record("firstResult", state.fork().launcher().launch().firstResultNs());
  }

  /** A function whose children call it. */
  @State(Scope.Thread)
  public static class Calling extends RemoteFunction {
    /** Made by JMH, which needs a public constructor. */
    public Calling() {}

    @Override
    protected void describe(RemoteFork.Builder builder) {
      builder.childWork(ParentProcess.ChildWork.WORK);
    }
  }

  /** A parent whose children touch few of their pages, and at least one. */
  @State(Scope.Thread)
  public static class FirstPages extends RemoteWorkingSet {
    /** Made by JMH, which needs a public constructor. */
    public FirstPages() {}

    @Override
    protected void describe(RemoteFork.Builder builder) {
      boolean onePercentIsAPage = memorySize().pages() >= 100;
      builder.childWork(ParentProcess.ChildWork.WORK).touchRatio(onePercentIsAPage ? 1 : 100);
    }
  }
}
