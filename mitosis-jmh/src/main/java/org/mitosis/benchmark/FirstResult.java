// SPDX-License-Identifier: Apache-2.0
package org.mitosis.benchmark;

import java.util.List;
import java.util.concurrent.TimeUnit;
import org.mitosis.fixture.CheckpointedJvm;
import org.mitosis.fixture.ChildLauncher;
import org.mitosis.fixture.ClassArchive;
import org.mitosis.fixture.Crac;
import org.mitosis.fixture.Criu;
import org.mitosis.fixture.DumpedProcess;
import org.mitosis.fixture.FreshJvm;
import org.mitosis.fixture.JvmFunction;
import org.mitosis.fixture.JvmFunctionState;
import org.mitosis.fixture.JvmPool;
import org.mitosis.fixture.Needs;
import org.mitosis.fixture.ParentProcess;
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
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.TearDown;
import org.openjdk.jmh.annotations.Warmup;

/**
 * Time from the resume call to the child's first result: resume and its first page.
 *
 * <p>Run {@code ./bench FirstResult -p resumeMode=lazy,eager}. The figure is the metric {@code
 * firstResult}, from before the call that resumes to the end of the first page's work, by the clock
 * of launcher and child.
 *
 * <p>{@code ./bench FirstResult.jvm -p transport=local,tcp} is of a warm JVM with a function in
 * Java, and of what else there is instead of a cold start: class data sharing of the function's own
 * classes, the ahead-of-time cache of JDK 25 and later, a CRIU image of the same JVM that is
 * restored with all its memory or page by page, CRaC where {@code -Dmitosis.crac.jdk=PATH} names a
 * JDK that has it, and a pool of four such JVMs that are kept for requests. A start counts from
 * fork(2), a restore from before CRIU or the JDK's java is started, a request to the pool from
 * before it is written to a pipe. The figure {@code resume} is until the first statement in Java.
 * {@code idleMemory} (MiB) is what a JVM of the pool takes, {@code snapshotMemory} a snapshot and
 * its parent together, both by PSS.
 *
 * <p>What can mislead:
 *
 * <ul>
 *   <li>The page is the first of a random order, one that the resume itself had no reason to fetch;
 *       with {@code -p prefetch=512} two megabytes are fetched for it.
 *   <li>A fresh JVM is cold after its first result, and a child is not: see {@link Execution#jvm}.
 *   <li>A JVM of the pool answers one request after the other: nothing of one is kept from the
 *       next, and more requests at a time than there are JVMs wait. A snapshot has any number of
 *       children.
 *   <li>CRaC is of another JDK than the others. Its images are in memory, as those of CRIU are.
 *   <li>Of a fresh start, the files are in memory, and its class path is one small jar.
 * </ul>
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

  /** A child of a warm JVM has the result of its function. */
  @Benchmark
  public void jvm(CallingJvm state) {
    ChildLauncher.Times times = state.fork().launcher().launch();
    SelfTimed.record("resume", times.resumeNs());
    SelfTimed.record("firstResult", times.firstResultNs());
  }

  /** A fresh JVM has the result of the same function. */
  @Benchmark
  public void jvmColdStart(FreshJvm state) {
    SelfTimed.record("firstResult", state.firstResultNs());
  }

  /** A fresh JVM that shares the data of its classes has the result of the same function. */
  @Benchmark
  public void jvmAppCds(WithAppCds state) {
    SelfTimed.record("firstResult", state.firstResultNs());
  }

  /** A fresh JVM with an ahead-of-time cache has the result of the same function. */
  @Benchmark
  public void jvmAotCache(WithAotCache state) {
    SelfTimed.record("firstResult", state.firstResultNs());
  }

  /** A copy that CRIU restores of the same warm JVM has the result of the same function. */
  @Benchmark
  public void jvmCriu(DumpedJvm state) {
    DumpedProcess.Restored restored = state.process().restore();
    SelfTimed.record("resume", restored.firstInstructionNs());
    SelfTimed.record("firstResult", restored.firstInstructionNs() + restored.workNs());
  }

  /** A copy of the same warm JVM that CRIU restores has the result, and gets its pages then. */
  @Benchmark
  public void jvmCriuLazy(ServedJvm state) {
    DumpedProcess.Restored restored = state.process().restoreLazily();
    SelfTimed.record("resume", restored.firstInstructionNs());
    SelfTimed.record("firstResult", restored.firstInstructionNs() + restored.workNs());
  }

  /** A copy that CRaC restores of a JVM with the same function has its result. */
  @Benchmark
  public void jvmCrac(OfCrac state) {
    DumpedProcess.Restored restored = state.jvm.restore();
    SelfTimed.record("resume", restored.firstInstructionNs());
    SelfTimed.record("firstResult", restored.firstInstructionNs() + restored.workNs());
  }

  /** A JVM of a pool, warm and idle, has the result of the same function. */
  @Benchmark
  public void jvmPool(JvmPool state) {
    SelfTimed.record("firstResult", state.firstResultNs());
  }

  /** A warm JVM whose children call its function. */
  @State(Scope.Thread)
  public static class CallingJvm extends RemoteJvm {
    /** Made by JMH, which needs a public constructor. */
    public CallingJvm() {}

    @Override
    protected void describe(RemoteFork.Builder builder) {
      builder.childWork(ParentProcess.ChildWork.WORK);
    }

    /** Records what waits for requests: the parent and its snapshot. */
    @TearDown(Level.Iteration)
    public void recordMemory() {
      SelfTimed.value("snapshotMemory", fork().parent().pssBytes() / (double) (1 << 20), "MiB");
    }
  }

  /** A start with an archive of the function's classes. */
  @State(Scope.Thread)
  public abstract static class WithArchive extends FreshJvm {
    private final ClassArchive.Kind kind;
    private ClassArchive archive;

    /** For the states that JMH makes. */
    protected WithArchive(ClassArchive.Kind kind) {
      this.kind = kind;
    }

    @Override
    protected List<String> command(JvmFunction function) {
      archive = ClassArchive.make(function, kind);
      return archive.command();
    }

    /** Deletes the archive. */
    @TearDown
    public void delete() {
      if (archive != null) {
        archive.close();
      }
    }
  }

  /** A start with class data sharing. */
  @State(Scope.Thread)
  public static class WithAppCds extends WithArchive {
    /** Made by JMH, which needs a public constructor. */
    public WithAppCds() {
      super(ClassArchive.Kind.APP_CDS);
    }
  }

  /** A start with an ahead-of-time cache. */
  @State(Scope.Thread)
  public static class WithAotCache extends WithArchive {
    /** Made by JMH, which needs a public constructor. */
    public WithAotCache() {
      super(ClassArchive.Kind.AOT_CACHE);
    }
  }

  /** A warm JVM that CRIU has dumped. */
  @State(Scope.Thread)
  public static class DumpedJvm {
    private DumpedProcess process;

    /** Made by JMH, which needs a public constructor. */
    public DumpedJvm() {}

    /** Starts it and dumps it. */
    @Setup
    public void start(JvmFunctionState state) {
      process = DumpedProcess.start(Criu.requireWorking(), state.function());
      process.dump();
    }

    DumpedProcess process() {
      return process;
    }

    /** Deletes the images. */
    @TearDown
    public void stop() {
      if (process != null) {
        process.close();
      }
    }
  }

  /** A warm JVM that CRIU has dumped, and a server of its pages for each copy. */
  @State(Scope.Thread)
  public static class ServedJvm extends DumpedJvm {
    /** Made by JMH, which needs a public constructor. */
    public ServedJvm() {}

    /** Starts the server. */
    @Setup(Level.Invocation)
    public void serve() {
      process().startLazyPages();
    }
  }

  /** A warm JVM of the JDK that {@link Crac#PROPERTY} names, checkpointed. */
  @State(Scope.Thread)
  public static class OfCrac {
    private CheckpointedJvm jvm;

    /** Made by JMH, which needs a public constructor. */
    public OfCrac() {}

    /**
     * Starts it and checkpoints it, and restores it once, so that the JDK's files are in memory.
     */
    @Setup
    public void start(JvmFunctionState state) {
      jvm = CheckpointedJvm.start(Crac.require(), state.function());
      jvm.restore();
    }

    /** Deletes the images. */
    @TearDown
    public void stop() {
      if (jvm != null) {
        jvm.close();
      }
    }
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
