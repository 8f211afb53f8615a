// SPDX-License-Identifier: Apache-2.0
package org.mitosis.benchmark;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import org.mitosis.fixture.ArrivalTrace;
import org.mitosis.fixture.ChildLauncher;
import org.mitosis.fixture.Criu;
import org.mitosis.fixture.DumpedProcess;
import org.mitosis.fixture.FunctionNameState;
import org.mitosis.fixture.LaunchLoop;
import org.mitosis.fixture.LoopParameters;
import org.mitosis.fixture.Machine;
import org.mitosis.fixture.MemorySize;
import org.mitosis.fixture.Needs;
import org.mitosis.fixture.ParentProcess;
import org.mitosis.fixture.Preflight;
import org.mitosis.fixture.Range;
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
import org.openjdk.jmh.annotations.TearDown;
import org.openjdk.jmh.annotations.Warmup;

/**
 * Waiting time of requests whose rate rises and falls as in a trace: children of a snapshot, and
 * for comparison cold starts and copies by CRIU.
 *
 * <p>Run {@code ./bench LoadSpike}, or {@code ./bench LoadSpike -p trace=azure -p transport=tcp -p
 * resumeMode=lazy,replica}. Requests arrive when the trace says, whether the ones before have ended
 * or not; {@code loops} launchers on each machine take them in turns. {@code startup} is from when
 * a request was to be started until its process has ended, queue included, of all of them: its
 * percentiles are the figures. {@code offered}, {@code started}, {@code late} and {@code lost} are
 * numbers of requests, as those of {@link PeakThroughput} with a rate.
 *
 * <p>What can mislead:
 *
 * <ul>
 *   <li>A launcher has one child at a time. So many loops as there are CPUs are a machine that lets
 *       requests queue rather than share its CPUs.
 *   <li>Machines of one host share its CPUs.
 *   <li>{@code coldStart} starts the function from the program, and {@code criu} restores it,
 *       without a container, which would come on top of it.
 *   <li>A copy by CRIU has the process id of what was dumped: {@code criu} has as many dumps as
 *       loops, in memory, which are made before.
 * </ul>
 */
@Needs(workingSets = 2, userfaultfd = true)
@BenchmarkMode(Mode.SingleShotTime)
@OutputTimeUnit(TimeUnit.MILLISECONDS)
@Warmup(iterations = 0)
@Measurement(iterations = 1)
@Fork(value = 3, jvmArgsAppend = JvmOptions.NATIVE_ACCESS)
public class LoadSpike {
  /** From opening the gates until they are open: all launchers have read their line by then. */
  private static final long LEAD_NS = TimeUnit.MILLISECONDS.toNanos(20);

  /** What has not begun so long after the schedule's end is lost. */
  private static final long DRAIN_NS = TimeUnit.SECONDS.toNanos(10);

  /** Made by JMH, which needs a public constructor. */
  public LoadSpike() {}

  /**
   * Runs these benchmarks alone, as {@code ./bench} does; for IDEs.
   *
   * @param args JMH's options
   * @throws Exception as {@code org.openjdk.jmh.Main} does
   */
  public static void main(String[] args) throws Exception {
    SingleClass.run(LoadSpike.class, args);
  }

  /** Children of a C program with a working set, which they touch. */
  @Benchmark
  public void workingSet(WorkingSetSpike state, Arrivals arrivals) {
    measure(state, arrivals);
  }

  /** Children of a Python function, which call it. */
  @Benchmark
  public void function(FunctionSpike state, Arrivals arrivals) {
    measure(state, arrivals);
  }

  /** Fresh starts of the same function: interpreter, imports and first call. */
  @Benchmark
  public void coldStart(ColdSpike state, Arrivals arrivals) throws InterruptedException {
    List<Runnable> starters = new ArrayList<>();
    state.parents.forEach(parent -> starters.add(() -> parent.spawn(state.command)));
    start(starters, arrivals);
  }

  /**
   * Copies of the same function, warm, that CRIU restores with all their memory and that call it.
   */
  @Benchmark
  public void criu(DumpedSpike state, Arrivals arrivals) throws InterruptedException {
    List<Runnable> starters = new ArrayList<>();
    state.processes.forEach(process -> starters.add(process::restore));
    start(starters, arrivals);
  }

  /** Each of them starts one process at a time, and returns when that has ended. */
  private static void start(List<Runnable> starters, Arrivals arrivals)
      throws InterruptedException {
    List<List<Long>> shares = shares(arrivals.arrivalsNs, starters.size());
    long beginNs = System.nanoTime() + LEAD_NS;
    List<LaunchLoop.Child> children = new ArrayList<>();
    List<LaunchLoop.Lost> lost = new ArrayList<>();
    long late = 0;
    ExecutorService threads = Executors.newFixedThreadPool(shares.size());
    try {
      List<Future<PeakThroughput.Done>> loops = new ArrayList<>();
      for (int i = 0; i < shares.size(); i++) {
        Runnable starter = starters.get(i);
        List<Long> share = shares.get(i);
        loops.add(threads.submit(() -> startEach(starter, share, beginNs, arrivals.lengthNs)));
      }
      for (Future<PeakThroughput.Done> loop : loops) {
        PeakThroughput.Done done = loop.get();
        children.addAll(done.children());
        lost.addAll(done.lost());
        late += done.late();
      }
    } catch (ExecutionException e) {
      throw new IllegalStateException(e.getCause().getMessage(), e.getCause());
    } finally {
      threads.shutdownNow();
    }
    record(children, lost, late);
  }

  private static PeakThroughput.Done startEach(
      Runnable starter, List<Long> arrivals, long beginNs, long lengthNs) {
    List<LaunchLoop.Child> children = new ArrayList<>();
    List<LaunchLoop.Lost> lost = new ArrayList<>();
    for (long arrivalNs : arrivals) {
      long intendedNs = beginNs + arrivalNs;
      for (long now = System.nanoTime(); now < intendedNs; now = System.nanoTime()) {
        LockSupport.parkNanos(intendedNs - now);
        if (Thread.currentThread().isInterrupted()) {
          throw new IllegalStateException("interrupted");
        }
      }
      long startNs = System.nanoTime();
      if (startNs > beginNs + lengthNs + Math.min(lengthNs, DRAIN_NS)) {
        lost.add(new LaunchLoop.Lost(startNs - intendedNs, intendedNs));
      } else {
        starter.run();
        long endNs = System.nanoTime();
        children.add(new LaunchLoop.Child(endNs - intendedNs, intendedNs, endNs));
      }
    }
    return new PeakThroughput.Done(
        children, lost, PeakThroughput.Done.lateAt(children, beginNs + lengthNs));
  }

  private static void measure(Spike state, Arrivals arrivals) {
    List<Machine> machines = state.fork().childMachines();
    int launchers = LoopParameters.loops(state.loops) * machines.size();
    List<LaunchLoop> loops = new ArrayList<>();
    try {
      for (List<Long> share : shares(arrivals.arrivalsNs, launchers)) {
        ChildLauncher.Builder launcher =
            state.fork().launcherOn(machines.get(loops.size() % machines.size()));
        loops.add(launcher.startSchedule(share));
      }
      long beginNs = System.nanoTime() + LEAD_NS;
      loops.forEach(loop -> loop.openGate(beginNs));
      List<LaunchLoop.Child> children = new ArrayList<>();
      long late = 0;
      for (LaunchLoop loop : loops) {
        List<LaunchLoop.Child> here = loop.await();
        late += PeakThroughput.Done.lateAt(here, beginNs + arrivals.lengthNs);
        children.addAll(here);
      }
      record(children, loops.stream().flatMap(loop -> loop.lost().stream()).toList(), late);
    } finally {
      loops.forEach(LaunchLoop::close);
    }
  }

  /** In turns; fewer than asked for, if some would have none. */
  static List<List<Long>> shares(List<Long> arrivalsNs, int launchers) {
    List<List<Long>> shares = new ArrayList<>();
    for (int i = 0; i < Math.min(launchers, arrivalsNs.size()); i++) {
      shares.add(new ArrayList<>());
    }
    for (int i = 0; i < arrivalsNs.size(); i++) {
      shares.get(i % shares.size()).add(arrivalsNs.get(i));
    }
    return shares;
  }

  private static void record(
      List<LaunchLoop.Child> children, List<LaunchLoop.Lost> lost, long late) {
    children.stream()
        .sorted(Comparator.comparingLong(LaunchLoop.Child::endNs))
        .forEach(child -> SelfTimed.recordAt("startup", child.latencyNs(), child.endNs()));
    lost.forEach(child -> SelfTimed.record("startup", child.lagNs()));
    SelfTimed.value("offered", children.size() + lost.size(), "children");
    SelfTimed.value("started", children.size(), "children");
    SelfTimed.value("late", late, "children");
    SelfTimed.value("lost", lost.size(), "children");
  }

  /** When requests arrive. */
  @State(Scope.Thread)
  public static class Arrivals {
    private static final int LONGEST = 24 * 60 * 60;
    private static final int FASTEST = 3600;

    /** {@code spike} and {@code azure}, which are made up, or a file: see {@link ArrivalTrace}. */
    @Param("spike")
    public String trace;

    /** The first second, or minute, of the trace that is replayed, from 0. */
    @Param("0")
    @Range(min = 0, max = LONGEST)
    public String from;

    /** How many seconds, or minutes, of the trace are replayed. */
    @Param("10")
    @Range(min = 1, max = LONGEST)
    public String count;

    /** How many times faster than in reality; {@code auto}: a minute in a second. */
    @Param("auto")
    @Range(min = 1, max = FASTEST, or = "auto")
    public String speed;

    List<Long> arrivalsNs;
    long lengthNs;

    /** Made by JMH, which needs a public constructor. */
    public Arrivals() {}

    /** Reads the trace. */
    @Setup
    public void read() {
      ArrivalTrace part =
          ArrivalTrace.read(trace)
              .part(
                  Preflight.number("from", from, 0, LONGEST),
                  Preflight.number("count", count, 1, LONGEST));
      int times =
          speed.equals("auto") ? part.defaultSpeed() : Preflight.number("speed", speed, 1, FASTEST);
      arrivalsNs = part.arrivalsNs(times);
      lengthNs = part.lengthNs(times);
    }
  }

  /** A parent with a working set. */
  @State(Scope.Thread)
  public static class WorkingSetSpike extends Spike {
    /** As {@link MemorySize#parse} reads it. */
    @Param("1048576")
    public String memorySize;

    /** Made by JMH, which needs a public constructor. */
    public WorkingSetSpike() {}

    /** Starts machines, parent and launchers. */
    @Setup
    public void start() {
      start(
          RemoteFork.of(Preflight.memorySize(memorySize, 2))
              .childWork(ParentProcess.ChildWork.WORK));
    }
  }

  /** A function whose children call it. */
  @State(Scope.Thread)
  public static class FunctionSpike extends Spike {
    /** Made by JMH, which needs a public constructor. */
    public FunctionSpike() {}

    /** Starts machines, parent and launchers. */
    @Setup
    public void start(FunctionNameState state) {
      start(
          RemoteFork.of(Preflight.function(state.functionName))
              .childWork(ParentProcess.ChildWork.WORK));
    }
  }

  /** A parent and its child machines. */
  @State(Scope.Thread)
  public abstract static class Spike extends RemoteForkState {
    /** How many machines start children; over {@code transport=local} there is one. */
    @Param("1")
    public String childMachines;

    /** Launchers on each of them: a number, or {@code cpus}. */
    @Param(LoopParameters.AS_MANY_AS_CPUS)
    public String loops;

    private Spike() {}

    @Override
    protected void describe(RemoteFork.Builder builder) {
      builder.childMachines(LoopParameters.childMachines(childMachines));
      LoopParameters.loops(loops); // now rather than after the machines have been made
    }
  }

  /** Small parents that start a function anew. */
  @State(Scope.Thread)
  public static class ColdSpike extends FunctionNameState {
    /** How many start at the same time: a number, or {@code cpus}. */
    @Param(LoopParameters.AS_MANY_AS_CPUS)
    public String loops;

    private final List<ParentProcess> parents = new ArrayList<>();
    private List<String> command;

    /** Made by JMH, which needs a public constructor. */
    public ColdSpike() {}

    /** Starts the parents, and the function once, so that its files are in memory. */
    @Setup
    public void start() {
      command = Preflight.function(functionName).coldStart();
      for (int i = 0; i < LoopParameters.loops(loops); i++) {
        parents.add(ParentProcess.of(MemorySize.ofMebibytes(1)).start());
      }
      parents.get(0).spawn(command);
    }

    /** Ends the parents. */
    @TearDown
    public void stop() {
      parents.forEach(ParentProcess::close);
    }
  }

  /** Warm functions that CRIU has dumped. */
  @State(Scope.Thread)
  public static class DumpedSpike extends FunctionNameState {
    /** How many are restored at the same time: a number, or {@code cpus}. */
    @Param(LoopParameters.AS_MANY_AS_CPUS)
    public String loops;

    private final List<DumpedProcess> processes = new ArrayList<>();

    /** Made by JMH, which needs a public constructor. */
    public DumpedSpike() {}

    /** Starts the functions and dumps them, and restores each once, as it is then each time. */
    @Setup
    public void start() {
      for (int i = 0; i < LoopParameters.loops(loops); i++) {
        DumpedProcess process =
            DumpedProcess.start(Criu.requireWorking(), Preflight.function(functionName));
        processes.add(process);
        process.dump();
        process.restore();
      }
    }

    /** Deletes the images. */
    @TearDown
    public void stop() {
      processes.forEach(DumpedProcess::close);
    }
  }
}
