// SPDX-License-Identifier: Apache-2.0
package org.mitosis.benchmark;

import java.util.concurrent.TimeUnit;
import org.mitosis.fixture.Needs;
import org.mitosis.fixture.ParentProcess;
import org.mitosis.fixture.RemoteFork;
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
 * The cost of one call of a function from beginning to end: container, resume, work on all pages,
 * and the end of the child.
 *
 * <p>Run {@code ./bench StartupExecution -p resumeMode=lazy,eager,cached}: the one figure by which
 * the modes can be compared, because none can hide its cost elsewhere. It is the metric {@code
 * startup}, from the request to the child's end, by the launcher's clock.
 *
 * <p>What can mislead: the end of a child that has a gigabyte gives all of it back to the kernel,
 * which is in the figure; and {@code resumeMode=cached} is measured with its cache full, as it is
 * from the second child of a snapshot on.
 */
@Needs(workingSets = 2, userfaultfd = true)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.MICROSECONDS)
@Warmup(iterations = 2, time = 300, timeUnit = TimeUnit.MILLISECONDS)
@Measurement(iterations = 10, time = 250, timeUnit = TimeUnit.MILLISECONDS)
@Fork(value = 3, jvmArgsAppend = JvmOptions.NATIVE_ACCESS)
public class StartupExecution {
  /** Made by JMH, which needs a public constructor. */
  public StartupExecution() {}

  /**
   * Runs these benchmarks alone, as {@code ./bench} does; for IDEs.
   *
   * @param args JMH's options
   * @throws Exception as {@code org.openjdk.jmh.Main} does
   */
  public static void main(String[] args) throws Exception {
    SingleClass.run(StartupExecution.class, args);
  }

  /** A child of a C program touches its working set and ends. */
  @Benchmark
  public void workingSet(Touching state) {
    SelfTimed.record("startup", state.fork().launcher().launch().startupNs());
  }

  /** A parent whose children touch their pages. */
  @State(Scope.Thread)
  public static class Touching extends RemoteWorkingSet {
    /** Made by JMH, which needs a public constructor. */
    public Touching() {}

    @Override
    protected void describe(RemoteFork.Builder builder) {
      builder.childWork(ParentProcess.ChildWork.WORK);
    }
  }
}
