// SPDX-License-Identifier: Apache-2.0
package org.mitosis.benchmark;

import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import org.mitosis.fixture.Access;
import org.mitosis.fixture.ChildLauncher;
import org.mitosis.fixture.JvmFunctionState;
import org.mitosis.fixture.MemorySize;
import org.mitosis.fixture.Needs;
import org.mitosis.fixture.ParentProcess;
import org.mitosis.fixture.Preflight;
import org.mitosis.fixture.Range;
import org.mitosis.fixture.RemoteFork;
import org.mitosis.fixture.RemoteFunction;
import org.mitosis.fixture.RemoteJvm;
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
import org.openjdk.jmh.annotations.TearDown;
import org.openjdk.jmh.annotations.Warmup;

/**
 * The cost of a child's work while its pages are still elsewhere: the published execution time,
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
    if (state.turn.takeParents()) {
      SelfTimed.record("cow", state.fork().parent().cowNs());
    }
    SelfTimed.record("execution", state.fork().launcher().launch().executionNs());
  }

  /** A child of a Python function calls it, as in the published figures. */
  @Benchmark
  public void function(FunctionTurns state) {
    if (state.turn.takeParents()) {
      SelfTimed.record("warm", state.fork().parent().touchNs());
    }
    SelfTimed.record("execution", state.fork().launcher().launch().executionNs());
  }

  /**
   * A child of a warm JVM calls its function {@code calls} times. {@code execution} is of all calls
   * together, {@code resume} until the first statement in Java and {@code lastResult} until the
   * last of them, both from the call that resumes, {@code warm} as many calls in the parent, and
   * {@code coldStart} a fresh JVM until its last call. {@code timeLine.descriptor}, {@code born},
   * {@code files}, {@code mapped}, {@code go}, {@code firstStatement} and {@code lastResult} are
   * the steps of one child in an iteration that does all of them itself ({@link
   * ChildLauncher#launchAlone}).
   */
  @Benchmark
  public void jvm(JvmTurns state) {
    if (state.turn.takeParents()) {
      SelfTimed.record("warm", state.fork().parent().touchNs());
      SelfTimed.record("coldStart", state.starter.spawn(state.fresh).firstResultNs());
      recordTimeLine(state.fork().launcher().launchAlone());
    }
    ChildLauncher.Times times = state.fork().launcher().launch();
    SelfTimed.record("resume", times.resumeNs());
    SelfTimed.record("execution", times.executionNs());
    SelfTimed.record("lastResult", times.firstResultNs());
  }

  private static void recordTimeLine(ChildLauncher.Steps steps) {
    Map.of(
            "descriptor", steps.descriptorNs(),
            "born", steps.bornNs(),
            "files", steps.filesNs(),
            "mapped", steps.mappedNs(),
            "go", steps.goNs(),
            "firstStatement", steps.resumeNs(),
            "lastResult", steps.firstResultNs())
        .forEach(
            (step, ns) -> {
              if (ns > 0) { // modes clone and replica do not tell all of them
                SelfTimed.record("timeLine." + step, ns);
              }
            });
  }

  /** Whose turn it is: once in an iteration the parent's, otherwise its children's. */
  private static final class Turn {
    private boolean parents;

    void begin(RemoteFork fork) {
      fork.prepareAgain();
      parents = true;
    }

    /** Whether it is the parent's turn, which ends here. */
    boolean takeParents() {
      boolean taken = parents;
      parents = false;
      return taken;
    }
  }

  /** A warm JVM whose children call its function, and once in an iteration it does so itself. */
  @State(Scope.Thread)
  public static class JvmTurns extends RemoteJvm {
    private static final int MOST_CALLS = 1_000_000;

    /** How often a child calls the function. */
    @Param({"1", "10", "100", "1000"})
    @Range(min = 1, max = MOST_CALLS)
    public String calls;

    private ParentProcess starter;
    private List<String> fresh;
    private final Turn turn = new Turn();

    /** Made by JMH, which needs a public constructor. */
    public JvmTurns() {}

    @Override
    protected int calls() {
      return Preflight.number("calls", calls, 1, MOST_CALLS);
    }

    @Override
    protected void describe(RemoteFork.Builder builder) {
      builder.childWork(ParentProcess.ChildWork.WORK);
    }

    /** Starts what starts a fresh JVM, and that once, so that its files are in memory. */
    @Setup
    public void startStarter(JvmFunctionState state) {
      fresh = state.function(calls()).freshStart();
      starter = ParentProcess.of(MemorySize.ofMebibytes(1)).start();
      starter.spawn(fresh);
    }

    /** Ends it. */
    @TearDown
    public void stopStarter() {
      if (starter != null) {
        starter.close();
      }
    }

    /** The parent is prepared again; then it is its turn. */
    @Setup(Level.Iteration)
    public void prepareAgain() {
      turn.begin(fork());
    }
  }

  /** A function whose children call it, and once in an iteration it does so itself. */
  @State(Scope.Thread)
  public static class FunctionTurns extends RemoteFunction {
    private final Turn turn = new Turn();

    /** Made by JMH, which needs a public constructor. */
    public FunctionTurns() {}

    @Override
    protected void describe(RemoteFork.Builder builder) {
      builder.childWork(ParentProcess.ChildWork.WORK);
    }

    /** The parent is prepared again; then it is its turn. */
    @Setup(Level.Iteration)
    public void prepareAgain() {
      turn.begin(fork());
    }
  }

  /** A parent whose children touch their pages, and once in an iteration it does so itself. */
  @State(Scope.Thread)
  public static class Turns extends RemoteWorkingSet {
    /** See {@link Access}. */
    @Param("write")
    public String access;

    private final Turn turn = new Turn();

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
      turn.begin(fork());
    }
  }
}
