// SPDX-License-Identifier: Apache-2.0
package org.mitosis.benchmark;

import java.util.concurrent.TimeUnit;
import org.mitosis.fixture.Access;
import org.mitosis.fixture.Needs;
import org.mitosis.fixture.ParentProcess;
import org.mitosis.fixture.Preflight;
import org.mitosis.fixture.RemoteFork;
import org.mitosis.fixture.RemoteFunction;
import org.mitosis.fixture.RemoteWorkingSet;
import org.mitosis.result.SelfTimed;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Fork;
import org.openjdk.jmh.annotations.Level;
import org.openjdk.jmh.annotations.Measurement;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Param;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.Warmup;

/**
 * What the work of a child costs while its pages are still elsewhere: the published execution time,
 * "random cow start".
 *
 * <p>Run {@code ./bench Execution}, which runs {@link StartupExecution} as well; {@code ./bench
 * '[.]Execution[.]'} is this one alone. Parent and child do the same work, a write to each page in
 * random order; with {@code -p access=read} children only read. The figures are the metrics {@code
 * execution}, the work in a child after resume, by the child's clock, and {@code cow}, the work in
 * the parent right after its prepare, by the parent's: the cost of copying without another machine.
 * A function's figure in the parent is {@code warm}, one more call. Each child checks that every
 * page holds what the parent prepared; one wrong page fails the benchmark.
 *
 * <p>What can mislead:
 *
 * <ul>
 *   <li>Resume is not in the figure. {@code resumeMode=eager} shows a short execution because its
 *       resume was long: take the two together, or {@link StartupExecution}.
 *   <li>The parent is prepared again at the start of each iteration, which is when its own line is
 *       taken; in {@code resumeMode=cached} the first child of each iteration finds nothing kept.
 *   <li>Random order is the worst for a prefetch window only as long as few pages are touched: here
 *       all are, and each window is fetched once. See {@link TouchRatio}.
 *   <li>A clone's pages are there at once, and each is copied when it is first written: {@code
 *       resumeMode=clone} tells more of the kernel's copy-on-write than of remote fork unless
 *       {@code access=read}.
 *   <li>Parent, snapshot and child hold the working set three times once all are touched.
 * </ul>
 */
@Needs(workingSets = 3, userfaultfd = true)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.MICROSECONDS)
@Warmup(iterations = 2, time = 300, timeUnit = TimeUnit.MILLISECONDS)
@Measurement(iterations = 10, time = 250, timeUnit = TimeUnit.MILLISECONDS)
@Fork(value = 3, jvmArgsAppend = JvmOptions.NATIVE_ACCESS)
public class Execution {
  /** Made by JMH, which needs a public constructor. */
  public Execution() {}

  /**
   * Runs these benchmarks alone, as {@code ./bench} does; for IDEs.
   *
   * @param args JMH's options
   * @throws Exception as {@code org.openjdk.jmh.Main} does
   */
  public static void main(String[] args) throws Exception {
    SingleClass.run(Execution.class, args);
  }

  /** A child of a C program touches its working set, as in the published figures. */
  @Benchmark
  public void workingSet(Turns state) {
    if (state.parentsTurn()) {
      SelfTimed.record("cow", state.fork().parent().cowNs());
    }
    SelfTimed.record("execution", state.fork().launcher().launch().executionNs());
  }

  /** A child of a Python function calls it, as in the published figures. */
  @Benchmark
  public void function(FunctionTurns state) {
    if (state.parentsTurn()) {
      SelfTimed.record("warm", state.fork().parent().touchNs());
    }
    SelfTimed.record("execution", state.fork().launcher().launch().executionNs());
  }

  /** A function whose children call it, and once in an iteration it does so itself. */
  @State(Scope.Thread)
  public static class FunctionTurns extends RemoteFunction {
    private boolean parentsTurn;

    /** Made by JMH, which needs a public constructor. */
    public FunctionTurns() {}

    @Override
    protected void describe(RemoteFork.Builder builder) {
      builder.childWork(ParentProcess.ChildWork.WORK);
    }

    /** The parent is prepared again; then it is its turn. */
    @Setup(Level.Iteration)
    public void prepareAgain() {
      fork().prepareAgain();
      parentsTurn = true;
    }

    private boolean parentsTurn() {
      boolean turn = parentsTurn;
      parentsTurn = false;
      return turn;
    }
  }

  /** A parent whose children touch their pages, and once in an iteration it does so itself. */
  @State(Scope.Thread)
  public static class Turns extends RemoteWorkingSet {
    /** See {@link Access}. */
    @Param("write")
    public String access;

    private boolean parentsTurn;

    /** Made by JMH, which needs a public constructor. */
    public Turns() {}

    @Override
    protected int copies() {
      return 3;
    }

    @Override
    protected void describe(RemoteFork.Builder builder) {
      builder.childWork(Preflight.choice(Access.class, Access.PROPERTY, access).work());
    }

    /** The parent is prepared again; then it is its turn. */
    @Setup(Level.Iteration)
    public void prepareAgain() {
      fork().prepareAgain();
      parentsTurn = true;
    }

    private boolean parentsTurn() {
      boolean turn = parentsTurn;
      parentsTurn = false;
      return turn;
    }
  }
}
