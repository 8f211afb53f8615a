// SPDX-License-Identifier: Apache-2.0
package org.mitosis.benchmark;

import java.util.concurrent.TimeUnit;
import java.util.function.Function;
import org.mitosis.fixture.Criu;
import org.mitosis.fixture.DumpedProcess;
import org.mitosis.fixture.FunctionNameState;
import org.mitosis.fixture.JvmFunctionState;
import org.mitosis.fixture.Needs;
import org.mitosis.fixture.Preflight;
import org.mitosis.fixture.ThreadsState;
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
 * Checkpointing for the same purpose: CRIU dumps a process with a working set, a warm function or a
 * warm JVM, and restores it, all at once or page by page.
 *
 * <p>Run {@code ./bench BaselineCriu}, with {@code -Dmitosis.criu=PATH} if the one on PATH is not
 * meant. The figures are the metrics {@code criuDump} (from before CRIU is started until it has
 * ended; the process goes on then, so it is what prepare is), {@code criuRestore}, {@code criuLazy}
 * and {@code criuLazyTcp} (from before CRIU is started until the copy's first instruction, so they
 * are what resume is), and with each of these {@code …Touch}, until the copy has then read a byte
 * of each page; of a function {@code criuFirstResult} and {@code criuLazyFirstResult}, from before
 * CRIU is started until the copy has its result. Each copy checks what it reads or returns.
 *
 * <p>What can mislead:
 *
 * <ul>
 *   <li>Images are in /dev/shm. On a disk all but the lazy copies' first instructions take longer.
 *   <li>The server of lazy pages is started before, and is not in the time.
 *   <li>A copy looks every 50 µs whether it may begin, which is in the time until its first
 *       instruction.
 *   <li>A copy is restored in a PID namespace, which takes 1 to 2 ms more, if another process has
 *       the id of one of its threads: on a busy machine, on which ids are few, or while threads of
 *       the copy before are still ending.
 *   <li>CRIU wants /run to be a tmpfs for what it knows of the kernel; without that every command
 *       takes 7 to 8 ms more.
 *   <li>Reading a page that was never written costs less than {@link Execution}'s writes.
 * </ul>
 */
@Needs(workingSets = 3, criu = true)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.MICROSECONDS)
@Warmup(iterations = 1, time = 300, timeUnit = TimeUnit.MILLISECONDS)
@Measurement(iterations = 10, time = 250, timeUnit = TimeUnit.MILLISECONDS)
@Fork(value = 3, jvmArgsAppend = JvmOptions.NATIVE_ACCESS)
public class BaselineCriu {
  /** Made by JMH, which needs a public constructor. */
  public BaselineCriu() {}

  /**
   * Runs these benchmarks alone, as {@code ./bench} does; for IDEs.
   *
   * @param args JMH's options
   * @throws Exception as {@code org.openjdk.jmh.Main} does
   */
  public static void main(String[] args) throws Exception {
    SingleClass.run(BaselineCriu.class, args);
  }

  /** The process is dumped, and continues. */
  @Benchmark
  public void dump(Running state) {
    SelfTimed.record("criuDump", state.process().dumpRunningNs());
  }

  /** A copy is restored with all its memory. */
  @Benchmark
  public void restore(Dumped state) {
    DumpedProcess.Restored restored = state.process().restore();
    SelfTimed.record("criuRestore", restored.firstInstructionNs());
    SelfTimed.record("criuRestoreTouch", restored.workNs());
  }

  /** A copy is restored, and gets its pages from the images when it needs them. */
  @Benchmark
  public void lazy(Served state) {
    DumpedProcess.Restored restored = state.process().restoreLazily();
    SelfTimed.record("criuLazy", restored.firstInstructionNs());
    SelfTimed.record("criuLazyTouch", restored.workNs());
  }

  /** A copy is restored, and gets its pages over loopback TCP when it needs them. */
  @Benchmark
  public void lazyTcp(ServedByTcp state) {
    DumpedProcess.Restored restored = state.process().restoreLazily();
    SelfTimed.record("criuLazyTcp", restored.firstInstructionNs());
    SelfTimed.record("criuLazyTcpTouch", restored.workNs());
  }

  /**
   * A process with threads and open files is dumped, and goes on: see {@link ForkPrepare#threads}.
   */
  @Benchmark
  public void threads(RunningThreads state) {
    SelfTimed.record("criuDump", state.process().dumpRunningNs());
  }

  /**
   * A copy with threads and open files is restored, and gets its pages from the images when it
   * needs them.
   */
  @Benchmark
  public void threadsLazy(ServedThreads state) {
    DumpedProcess.Restored restored = state.process().restoreLazily();
    SelfTimed.record("criuLazy", restored.firstInstructionNs());
    SelfTimed.record("criuLazyTouch", restored.workNs());
  }

  /** A warm function is dumped, and continues. */
  @Benchmark
  public void functionDump(RunningFunction state) {
    SelfTimed.record("criuDump", state.process().dumpRunningNs());
  }

  /** A copy of a warm function is restored with all its memory, and called. */
  @Benchmark
  public void functionRestore(DumpedFunction state) {
    DumpedProcess.Restored restored = state.process().restore();
    SelfTimed.record("criuRestore", restored.firstInstructionNs());
    SelfTimed.record("criuFirstResult", restored.firstInstructionNs() + restored.workNs());
  }

  /** A copy of a warm function is restored, called, and gets its pages from the images then. */
  @Benchmark
  public void functionLazy(ServedFunction state) {
    DumpedProcess.Restored restored = state.process().restoreLazily();
    SelfTimed.record("criuLazy", restored.firstInstructionNs());
    SelfTimed.record("criuLazyFirstResult", restored.firstInstructionNs() + restored.workNs());
  }

  /** A warm JVM is dumped, and goes on: see {@link FirstResult#jvmCriu} for its copies. */
  @Benchmark
  public void jvmDump(RunningJvm state) {
    SelfTimed.record("criuDump", state.process().dumpRunningNs());
  }

  /** A process for each benchmark thread. */
  @State(Scope.Thread)
  public abstract static class OneProcess {
    private DumpedProcess process;

    /** For the states that JMH makes. */
    protected OneProcess() {}

    DumpedProcess process() {
      return process;
    }

    /** Starts it, and does what a benchmark needs beforehand; for a subclass's set-up. */
    final void start(Function<Criu, DumpedProcess> starter) {
      process = starter.apply(Criu.requireWorking());
      started(process);
    }

    /** What a benchmark needs beforehand; nothing, here. */
    protected void started(DumpedProcess started) {
      // JMH calls the set-up of a class and of its parent in no order that can be relied on.
    }

    /** Ends it. */
    @TearDown
    public void stop() {
      if (process != null) {
        process.close();
      }
    }
  }

  /** A process with a working set. */
  @State(Scope.Thread)
  public static class Running extends OneProcess {
    /** As {@link org.mitosis.fixture.MemorySize#parse} reads it. */
    @Param({"1048576", "16777216", "67108864", "268435456", "1073741824"})
    public String memorySize;

    /** Made by JMH, which needs a public constructor. */
    public Running() {}

    /** Starts it. */
    @Setup
    public void start() {
      start(criu -> DumpedProcess.start(criu, Preflight.memorySize(memorySize, 3)));
    }
  }

  /** A process that has been dumped. */
  @State(Scope.Thread)
  public static class Dumped extends Running {
    /** Made by JMH, which needs a public constructor. */
    public Dumped() {}

    @Override
    protected void started(DumpedProcess started) {
      started.dump();
    }
  }

  /** A process that has been dumped, and a server of its pages for each copy. */
  @State(Scope.Thread)
  public static class Served extends Dumped {
    /** Made by JMH, which needs a public constructor. */
    public Served() {}

    /** Starts the server. */
    @Setup(Level.Invocation)
    public void serve() {
      process().startLazyPages();
    }
  }

  /** A process that is dumped for each copy, and serves its pages itself. */
  @State(Scope.Thread)
  public static class ServedByTcp extends Running {
    /** Made by JMH, which needs a public constructor. */
    public ServedByTcp() {}

    /** Dumps it, and starts the servers. */
    @Setup(Level.Invocation)
    public void serve() {
      process().dumpLazily();
    }
  }

  /** A process with idle threads and open files. */
  @State(Scope.Thread)
  public static class RunningThreads extends OneProcess {
    /** Made by JMH, which needs a public constructor. */
    public RunningThreads() {}

    /** Starts it. */
    @Setup
    public void start(ThreadsState state) {
      start(criu -> DumpedProcess.start(criu, state));
    }
  }

  /**
   * A process with idle threads and open files that has been dumped, and a server of its pages for
   * each copy.
   */
  @State(Scope.Thread)
  public static class ServedThreads extends RunningThreads {
    /** Made by JMH, which needs a public constructor. */
    public ServedThreads() {}

    @Override
    protected void started(DumpedProcess started) {
      started.dump();
    }

    /** Starts the server. */
    @Setup(Level.Invocation)
    public void serve() {
      process().startLazyPages();
    }
  }

  /** A warm JVM. */
  @State(Scope.Thread)
  public static class RunningJvm extends OneProcess {
    /** Made by JMH, which needs a public constructor. */
    public RunningJvm() {}

    /** Starts it. */
    @Setup
    public void start(JvmFunctionState state) {
      start(criu -> DumpedProcess.start(criu, state.function()));
    }
  }

  /** A warm function. */
  @State(Scope.Thread)
  public static class RunningFunction extends OneProcess {
    /** Made by JMH, which needs a public constructor. */
    public RunningFunction() {}

    /** Starts it. */
    @Setup
    public void start(FunctionNameState state) {
      start(criu -> DumpedProcess.start(criu, Preflight.function(state.functionName)));
    }
  }

  /** A warm function that has been dumped. */
  @State(Scope.Thread)
  public static class DumpedFunction extends RunningFunction {
    /** Made by JMH, which needs a public constructor. */
    public DumpedFunction() {}

    @Override
    protected void started(DumpedProcess started) {
      started.dump();
    }
  }

  /** A warm function that has been dumped, and a server of its pages for each copy. */
  @State(Scope.Thread)
  public static class ServedFunction extends DumpedFunction {
    /** Made by JMH, which needs a public constructor. */
    public ServedFunction() {}

    /** Starts the server. */
    @Setup(Level.Invocation)
    public void serve() {
      process().startLazyPages();
    }
  }
}
