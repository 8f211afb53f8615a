// SPDX-License-Identifier: Apache-2.0
package org.mitosis.benchmark;

import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.mitosis.MitosisException;
import org.mitosis.fixture.ChildLauncher;
import org.mitosis.fixture.FunctionNameState;
import org.mitosis.fixture.MemorySize;
import org.mitosis.fixture.ParentProcess;
import org.mitosis.fixture.Preflight;
import org.mitosis.fixture.WarmFunction;
import org.mitosis.fixture.WorkingSet;
import org.mitosis.nativefiles.NativeFiles;
import org.mitosis.result.SelfTimed;
import org.mitosis.setting.MissingPrerequisite;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Fork;
import org.openjdk.jmh.annotations.Measurement;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.TearDown;
import org.openjdk.jmh.annotations.Warmup;

/**
 * Costs of Linux itself, for comparison with remote fork: fork(2) of the same parent, a fresh start
 * of a small program, and copying the parent's pages in the two ways in which a child gets pages.
 *
 * <p>Run {@code ./bench Baseline}. The figures are the metrics {@code fork} (until fork(2) returns
 * in the parent), {@code spawn} and {@code jvmStart} (until the program has ended), {@code
 * uffdCopy} and {@code tcpCopy} (until the whole working set is there), by the parent's clock.
 * Nothing that touches all pages after a resume can be faster than {@code uffdCopy}, nor over TCP
 * than it and {@code tcpCopy} together unless it does both at once.
 *
 * <p>What checkpointing does is {@link BaselineCriu}, which {@code ./bench Baseline} runs as well.
 *
 * <p>Of the functions there are {@code coldStart} and, of {@code os.fork()}, {@code firstResult}
 * and {@code startup}: what remote fork is to save, and what it is to come close to.
 *
 * <p>What can mislead:
 *
 * <ul>
 *   <li>For the ratio of prepare to fork take {@link PrepareOverFork}: two runs, minutes apart,
 *       differ by more than the two calls do.
 *   <li>The child of {@code fork} exits at once. What it would cost later, by page faults of parent
 *       and child, is not in the figure; for a snapshot it is not either.
 *   <li>The program of {@code spawn} is static: a dynamic one, or a language runtime, takes several
 *       times as long.
 * </ul>
 */
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.MICROSECONDS)
@Warmup(iterations = 2, time = 300, timeUnit = TimeUnit.MILLISECONDS)
@Measurement(iterations = 10, time = 250, timeUnit = TimeUnit.MILLISECONDS)
@Fork(value = 3, jvmArgsAppend = JvmOptions.NATIVE_ACCESS)
public class Baseline {
  /** Made by JMH, which needs a public constructor. */
  public Baseline() {}

  /**
   * Runs these benchmarks alone, as {@code ./bench} does; for IDEs.
   *
   * @param args JMH's options
   * @throws Exception as {@code org.openjdk.jmh.Main} does
   */
  public static void main(String[] args) throws Exception {
    SingleClass.run(Baseline.class, args);
  }

  /** fork(2) of the parent that {@link ForkPrepare#workingSet} prepares. */
  @Benchmark
  public void fork(WorkingSet state) {
    ParentProcess parent = state.parent();
    parent.touchNs();
    SelfTimed.record("fork", parent.forkNs());
  }

  /** UFFDIO_COPY of the working set: no page fault, no context switch, no other process. */
  @Benchmark
  public void uffdCopy(WorkingSet state) {
    SelfTimed.record("uffdCopy", state.parent().uffdCopyNs());
  }

  /** The working set over a loopback TCP connection, read and discarded. */
  @Benchmark
  public void tcpCopy(WorkingSet state) {
    SelfTimed.record("tcpCopy", state.parent().tcpCopyNs());
  }

  /** fork, execve, exit and wait of a static program that does nothing. */
  @Benchmark
  public void spawn(SpawnState state) {
    SelfTimed.record("spawn", state.parent.spawnNs(state.program));
  }

  /** Start and exit of a Java virtual machine that does nothing, with the options of this one. */
  @Benchmark
  public void jvmStart(JvmStart state) {
    SelfTimed.record("jvmStart", state.parent.spawn(state.command).endNs());
  }

  /**
   * A fresh start of a function: the interpreter, its imports and the first call. The figure is
   * until the result; the end of the process is not in it.
   */
  @Benchmark
  public void coldStart(ColdStart state) {
    SelfTimed.record("coldStart", state.parent.spawn(state.command).firstResultNs());
  }

  /**
   * {@code os.fork()} of the warm function, whose child calls it: {@code firstResult} is the time
   * until it has its result, {@code startup} until it has ended.
   */
  @Benchmark
  public void pythonFork(WarmFunction state) {
    ChildLauncher.Times times = state.parent().forkedChild();
    SelfTimed.record("firstResult", times.firstResultNs());
    SelfTimed.record("startup", times.startupNs());
  }

  /** A small parent for each benchmark thread, and the function it starts. */
  @State(Scope.Thread)
  public static class ColdStart extends FunctionNameState {
    private ParentProcess parent;
    private List<String> command;

    /** Made by JMH, which needs a public constructor. */
    public ColdStart() {}

    /** Starts the parent, and the function once, so that its files are in memory. */
    @Setup
    public void start() {
      command = Preflight.function(functionName).coldStart();
      parent = ParentProcess.of(MemorySize.ofMebibytes(1)).start();
      parent.spawn(command);
    }

    /** Ends the parent. */
    @TearDown
    public void stop() {
      if (parent != null) {
        parent.close();
      }
    }
  }

  /** A small parent for each benchmark thread, and the virtual machine it starts. */
  @State(Scope.Thread)
  public static class JvmStart {
    private ParentProcess parent;
    private List<String> command;

    /** Made by JMH, which needs a public constructor. */
    public JvmStart() {}

    /** Starts the parent, and a virtual machine once, so that its files are in memory. */
    @Setup
    public void start() {
      command =
          List.of(
              Path.of(System.getProperty("java.home"), "bin", "java").toString(),
              "-cp",
              System.getProperty("java.class.path"),
              EmptyJvm.class.getName());
      parent = ParentProcess.of(MemorySize.ofMebibytes(1)).start();
      parent.spawn(command);
    }

    /** Ends the parent. */
    @TearDown
    public void stop() {
      if (parent != null) {
        parent.close();
      }
    }
  }

  /** A small parent for each benchmark thread, and the program it starts. */
  @State(Scope.Thread)
  public static class SpawnState {
    private ParentProcess parent;
    private Path program;

    /** Made by JMH, which needs a public constructor. */
    public SpawnState() {}

    /** Starts the parent. */
    @Setup
    public void start() {
      try {
        program = NativeFiles.path("mitosis-noop");
      } catch (MitosisException e) {
        throw new MissingPrerequisite(e.getMessage());
      }
      parent = ParentProcess.of(MemorySize.ofMebibytes(1)).start();
    }

    /** Ends the parent. */
    @TearDown
    public void stop() {
      if (parent != null) {
        parent.close();
      }
    }
  }
}
