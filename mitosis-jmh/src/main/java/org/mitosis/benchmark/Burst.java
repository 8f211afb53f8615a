// SPDX-License-Identifier: Apache-2.0
package org.mitosis.benchmark;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.mitosis.fixture.FanOut;
import org.mitosis.fixture.FunctionNameState;
import org.mitosis.fixture.HeldChildren;
import org.mitosis.fixture.LaunchSeries;
import org.mitosis.fixture.LinkTraffic;
import org.mitosis.fixture.LoopParameters;
import org.mitosis.fixture.Needs;
import org.mitosis.fixture.ParentProcess;
import org.mitosis.fixture.Preflight;
import org.mitosis.fixture.Range;
import org.mitosis.fixture.RemoteFork;
import org.mitosis.fixture.RemoteForkState;
import org.mitosis.fixture.ReplicaFill;
import org.mitosis.fixture.Verify;
import org.mitosis.result.SelfTimed;
import org.mitosis.setting.MissingPrerequisite;
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
 * How fast one fresh snapshot becomes many children on several machines.
 *
 * <p>Run {@code ./bench Burst -p transport=tcp -p resumeMode=lazy,replica -p childMachines=3}. The
 * parent is prepared; then all launchers start at one moment, {@code loops} on each machine, and
 * share {@code children} evenly. Nothing of the snapshot is on a child machine before: the first
 * children pay for what later ones find there, such as a replica.
 *
 * <p>With {@code fanout=tree:K} only the first K child machines get pages from the parent's, the
 * next K from the first of them, and so on: child machine i from i / K - 1, counted from 0.
 *
 * <p>From that moment count {@code untilInstruction}, the first instruction of each child, and
 * {@code untilResult}, its first page or result; {@code lastInstruction} and {@code lastResult}
 * (ms) are those of the last child, and {@code burst} (ops/s) is children by {@code lastResult}.
 * {@code linkBytes} (MiB) is what the parent's machine has sent over TCP; {@code untilSent} has the
 * time of each 4 KiB of it, as read ten times a second; both need {@code ss}. Then {@code held}
 * further children start on the first machine and stay: {@code childMemory} (MiB) is the memory of
 * all of them, by PSS, divided by their number. The report draws all over time, or over the
 * children.
 *
 * <p>What can mislead:
 *
 * <ul>
 *   <li>A launcher starts a child when the one before has ended. No more children live at once than
 *       there are launchers.
 *   <li>Machines of one host share its CPUs and its memory's bandwidth, and their link is loopback:
 *       count bytes here, and time on a cluster ({@code cluster burst}).
 *   <li>The primary score includes starts of launchers, and the memory of children.
 *   <li>Children that stay share with each other what their mode lets them: a replica and the
 *       snapshot are not in {@code childMemory}, but take their part of what is shared.
 * </ul>
 */
@Needs(workingSets = 2, userfaultfd = true, linkTraffic = true)
@BenchmarkMode(Mode.SingleShotTime)
@OutputTimeUnit(TimeUnit.MILLISECONDS)
@Warmup(iterations = 0)
@Measurement(iterations = 3)
@Fork(value = 3, jvmArgsAppend = JvmOptions.NATIVE_ACCESS)
public class Burst {
  private static final double NS_PER_S = 1e9;
  private static final double NS_PER_MS = 1e6;
  private static final int PAGE_BYTES = 4096;

  /** From opening the gates until they are open: all launchers have read their line by then. */
  private static final long LEAD_NS = TimeUnit.MILLISECONDS.toNanos(20);

  /** Made by JMH, which needs a public constructor. */
  public Burst() {}

  /**
   * Runs these benchmarks alone, as {@code ./bench} does; for IDEs.
   *
   * @param args JMH's options
   * @throws Exception as {@code org.openjdk.jmh.Main} does
   */
  public static void main(String[] args) throws Exception {
    SingleClass.run(Burst.class, args);
  }

  /** Children of a C program with a working set, which check what it holds. */
  @Benchmark
  public void workingSet(WorkingSetBurst state) {
    measure(state);
  }

  /** Children of a Python function, which call it. */
  @Benchmark
  public void function(FunctionBurst state) {
    measure(state);
  }

  private static void measure(Bursting state) {
    boolean overLink = state.fork().childMachines().get(0) != state.fork().parentMachine();
    List<LaunchSeries> launchers = new ArrayList<>();
    try (LinkTraffic traffic =
        overLink && LinkTraffic.obstacle().isEmpty()
            ? LinkTraffic.of(state.fork().parentMachine())
            : null) {
      for (int share : shares(state.count, state.launchers())) {
        int machine = launchers.size() % state.fork().childMachines().size();
        launchers.add(
            state.fork().launcherOn(state.fork().childMachines().get(machine)).startSeries(share));
      }
      launchers.forEach(LaunchSeries::awaitReady);
      long startNs = System.nanoTime() + LEAD_NS;
      launchers.forEach(launcher -> launcher.openGate(startNs));
      List<LaunchSeries.Child> children =
          launchers.stream().flatMap(launcher -> launcher.await().stream()).toList();
      if (traffic != null) {
        recordTraffic(traffic.end(), startNs);
      }
      recordTimes(children, startNs);
    } finally {
      launchers.forEach(LaunchSeries::close);
    }
    recordMemory(state);
  }

  /** As even as can be; fewer than asked for, if some would have none. */
  static List<Integer> shares(int children, int launchers) {
    List<Integer> shares = new ArrayList<>();
    for (int i = 0; i < Math.min(children, launchers); i++) {
      shares.add(children / launchers + (i < children % launchers ? 1 : 0));
    }
    return shares;
  }

  private static void recordTimes(List<LaunchSeries.Child> children, long startNs) {
    children.stream()
        .mapToLong(LaunchSeries.Child::instructionNs)
        .sorted()
        .forEach(ns -> SelfTimed.recordAt("untilInstruction", ns - startNs, ns));
    children.stream()
        .mapToLong(LaunchSeries.Child::firstResultNs)
        .sorted()
        .forEach(ns -> SelfTimed.recordAt("untilResult", ns - startNs, ns));
    long lastInstructionNs =
        children.stream()
            .max(Comparator.comparingLong(LaunchSeries.Child::instructionNs))
            .orElseThrow()
            .instructionNs();
    long lastResultNs =
        children.stream()
            .max(Comparator.comparingLong(LaunchSeries.Child::firstResultNs))
            .orElseThrow()
            .firstResultNs();
    SelfTimed.value("lastInstruction", (lastInstructionNs - startNs) / NS_PER_MS, "ms");
    SelfTimed.value("lastResult", (lastResultNs - startNs) / NS_PER_MS, "ms");
    SelfTimed.value("burst", children.size() * NS_PER_S / (lastResultNs - startNs), "ops/s");
  }

  private static void recordTraffic(List<LinkTraffic.Reading> readings, long startNs) {
    long bytes = 0;
    for (LinkTraffic.Reading reading : readings) {
      // What launchers have sent before the start counts from the start on.
      long ns = Math.max(0, reading.atNs() - startNs);
      for (; bytes + PAGE_BYTES <= reading.bytes(); bytes += PAGE_BYTES) {
        SelfTimed.record("untilSent", ns);
      }
    }
    if (!readings.isEmpty()) {
      long all = readings.get(readings.size() - 1).bytes();
      SelfTimed.value("linkBytes", all / (double) (1 << 20), "MiB");
    }
  }

  private static void recordMemory(Bursting state) {
    if (state.heldCount == 0) {
      return;
    }
    try (HeldChildren children = state.fork().heldChildren()) {
      for (int i = 1; i <= state.heldCount; i++) {
        children.add();
        boolean last = i == state.heldCount;
        // 1, 2, 4, 8 and so on: enough for a line over the number of children.
        if (last || Integer.bitCount(i) == 1) {
          double mebibytes = children.pssBytes() / (double) (1 << 20) / i;
          SelfTimed.value("childMemory." + i, mebibytes, "MiB");
          if (last) {
            SelfTimed.value("childMemory", mebibytes, "MiB");
          }
        }
      }
    }
  }

  /** A parent with a working set, and what is asked of it. */
  @State(Scope.Thread)
  public static class WorkingSetBurst extends Bursting {
    /** As {@link org.mitosis.fixture.MemorySize#parse} reads it. */
    @Param("1048576")
    public String memorySize;

    /** What a child does: see {@link ParentProcess.ChildWork}; {@code exit} leaves none to hold. */
    @Param("read")
    public String childWork;

    /** Made by JMH, which needs a public constructor. */
    public WorkingSetBurst() {}

    /** Starts machines and parent. */
    @Setup
    public void start() {
      ParentProcess.ChildWork work =
          Preflight.choice(ParentProcess.ChildWork.class, "childWork", childWork);
      check();
      if (work == ParentProcess.ChildWork.EXIT) {
        heldCount = 0;
      }
      // The parent and its snapshot, and what each child and each replica may have.
      int copies = 2 + LoopParameters.childMachines(childMachines) + launchers() + heldCount;
      start(RemoteFork.of(Preflight.memorySize(memorySize, copies)).childWork(work));
    }
  }

  /** A function whose children call it, and what is asked of it. */
  @State(Scope.Thread)
  public static class FunctionBurst extends Bursting {
    /** Made by JMH, which needs a public constructor. */
    public FunctionBurst() {}

    /** Starts machines and parent. */
    @Setup
    public void start(FunctionNameState state) {
      check();
      start(
          RemoteFork.of(Preflight.function(state.functionName))
              .childWork(ParentProcess.ChildWork.WORK));
    }
  }

  /** A parent, child machines, and how many children there are. */
  @State(Scope.Thread)
  public abstract static class Bursting extends RemoteForkState {
    private static final int MOST_HELD = 1000;

    /** How many children the burst has, on all machines together. */
    @Param("100")
    @Range(min = 1, max = LaunchSeries.MAX_CHILDREN)
    public String children;

    /** How many machines start children; over {@code transport=local} there is one. */
    @Param("1")
    public String childMachines;

    /** Launchers on each of them: a number, or {@code cpus}. */
    @Param(LoopParameters.AS_MANY_AS_CPUS)
    public String loops;

    /** See {@link ReplicaFill}; without effect but over a link in {@code resumeMode=replica}. */
    @Param("recorded")
    public String replicaFill;

    /**
     * From which machine each child machine gets pages, {@code flat} or {@code tree:K}: see {@link
     * FanOut}.
     */
    @Param("flat")
    public String fanout;

    /** See {@link Verify}; without effect but in {@code fanout=tree:K}. */
    @Param("off")
    public String verify;

    /** How many children stay after the burst, so that their memory can be measured; 0 for none. */
    @Param("10")
    @Range(min = 0, max = MOST_HELD)
    public String held;

    int count;
    int heldCount;

    private Bursting() {}

    void check() {
      count = Preflight.number("children", children, 1, LaunchSeries.MAX_CHILDREN);
      heldCount = Preflight.number("held", held, 0, MOST_HELD);
    }

    /** On all machines together. */
    int launchers() {
      return LoopParameters.loops(loops) * LoopParameters.childMachines(childMachines);
    }

    @Override
    protected void describe(RemoteFork.Builder builder) {
      builder
          .childMachines(LoopParameters.childMachines(childMachines))
          .fanOut(Preflight.fanOut(fanout))
          .verify(Preflight.choice(Verify.class, Verify.PROPERTY, verify))
          .replicaFill(Preflight.choice(ReplicaFill.class, ReplicaFill.PROPERTY, replicaFill));
      if (count < LoopParameters.childMachines(childMachines)) {
        throw new MissingPrerequisite(
            count + " children are too few for " + childMachines + " machines");
      }
    }

    /** Prepares again: no page of the snapshot is on any child machine. */
    @Setup(Level.Iteration)
    public void prepare() {
      fork().prepareAgain();
    }
  }
}
