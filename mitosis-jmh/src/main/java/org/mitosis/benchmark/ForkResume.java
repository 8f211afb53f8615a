// SPDX-License-Identifier: Apache-2.0
package org.mitosis.benchmark;

import java.util.concurrent.TimeUnit;
import org.mitosis.fixture.ChildLauncher;
import org.mitosis.fixture.Needs;
import org.mitosis.fixture.RemoteForkState;
import org.mitosis.fixture.RemoteFunction;
import org.mitosis.fixture.RemoteJvm;
import org.mitosis.fixture.RemoteThreads;
import org.mitosis.fixture.RemoteWorkingSet;
import org.mitosis.result.SelfTimed;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Fork;
import org.openjdk.jmh.annotations.Measurement;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Warmup;

/**
 * How long it takes until a new process is a child of a prepared parent: the published {@code
 * fork_resume} benchmark.
 *
 * <p>Run {@code ./bench ForkResume}, or for a first look {@code ./bench ForkResume -p
 * memorySize=1m,64m,1g}. The child ends at its first instruction. The figures are the metrics
 * {@code resume}, from before the call that resumes to that instruction, by the clock of child and
 * launcher, and {@code startup}, from the request to the child's end with its container, by the
 * launcher's: what the published figures call latency. The primary score is startup and two
 * transfers through a pipe.
 *
 * <p>What can mislead:
 *
 * <ul>
 *   <li>A child that touches nothing has fetched next to nothing. What a resume leaves for later is
 *       in {@link Execution}; {@code -p resumeMode=eager} pays it first.
 *   <li>Both machines are this host: TCP goes over loopback, and parent and child share its CPUs
 *       and caches. The published figures are of two hosts with RDMA between them.
 *   <li>Where the container is weaker than asked for, startup has less to do; the run says so.
 *       Compare it with {@link EmptyContainer} of the same run.
 * </ul>
 */
@Needs(workingSets = 2, userfaultfd = true)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.MICROSECONDS)
@Warmup(iterations = 2, time = 300, timeUnit = TimeUnit.MILLISECONDS)
@Measurement(iterations = 10, time = 250, timeUnit = TimeUnit.MILLISECONDS)
@Fork(value = 3, jvmArgsAppend = JvmOptions.NATIVE_ACCESS)
public class ForkResume {
  /** Made by JMH, which needs a public constructor. */
  public ForkResume() {}

  /**
   * Runs these benchmarks alone, as {@code ./bench} does; for IDEs.
   *
   * @param args JMH's options
   * @throws Exception as {@code org.openjdk.jmh.Main} does
   */
  public static void main(String[] args) throws Exception {
    SingleClass.run(ForkResume.class, args);
  }

  /** A child of a C program with a working set, as in the published figures. */
  @Benchmark
  public void workingSet(RemoteWorkingSet state) {
    resume(state);
  }

  /** A child of a Python function, which does not call it, as in the published figures. */
  @Benchmark
  public void function(RemoteFunction state) {
    resume(state);
  }

  /**
   * A child of a C program with threads and open files, which has all of them: {@code resume} is
   * until the thread that prepared does.
   */
  @Benchmark
  public void threads(RemoteThreads state) {
    resume(state);
  }

  /** A child of a warm JVM, which does not call its function. */
  @Benchmark
  public void jvm(RemoteJvm state) {
    resume(state);
  }

  private static void resume(RemoteForkState state) {
    ChildLauncher.Times times = state.fork().launcher().launch();
    SelfTimed.record("resume", times.resumeNs());
    SelfTimed.record("startup", times.startupNs());
  }
}
