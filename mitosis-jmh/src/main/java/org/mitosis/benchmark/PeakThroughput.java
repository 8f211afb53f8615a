// SPDX-License-Identifier: Apache-2.0
package org.mitosis.benchmark;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import java.util.stream.LongStream;
import org.mitosis.fixture.ChildLauncher;
import org.mitosis.fixture.FunctionNameState;
import org.mitosis.fixture.JvmFunctionState;
import org.mitosis.fixture.LaunchLoop;
import org.mitosis.fixture.LoopParameters;
import org.mitosis.fixture.Needs;
import org.mitosis.fixture.ParentProcess;
import org.mitosis.fixture.Placement;
import org.mitosis.fixture.Preflight;
import org.mitosis.fixture.RemoteFork;
import org.mitosis.fixture.RemoteForkState;
import org.mitosis.result.OfferedLoad;
import org.mitosis.result.SelfTimed;
import org.mitosis.setting.MissingPrerequisite;
import org.mitosis.stats.RateSearch;
import org.mitosis.stats.Rates;
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
import org.openjdk.jmh.annotations.Warmup;

/**
 * How many children per second the child machines can start together: the published peak
 * throughput, for the working-set program and for functions.
 *
 * <p>Run {@code ./bench PeakThroughput}. On each child machine, {@code loops} launchers start one
 * child after the other for {@code seconds}. The figures are the metrics {@code peak} (ops/s, all
 * machines) and {@code peak.machineN}, counted over the stable interval: the longest part of the
 * run, a quarter of it at least, in which the rate and the median time of a child stay within a
 * tenth of their medians. {@code stable} says whether there was one (1 or 0); where there was none
 * the figures are of the whole run. {@code stableFrom} and {@code stableTo} are where it lies, in
 * seconds; {@code startup} is the time of each child in it, {@code child} that of every child of
 * the whole run, by the time at which it ended: the report draws it.
 *
 * <p>With {@code -p rate=500}, 500 children a second are started on a fixed schedule instead, and
 * {@code startup} is from when each was to be started, of all children of the schedule: what a
 * queue at that load costs. A child that is late is still started, until the launcher has been
 * behind for as long as the schedule lasts; the others are lost, and count in {@code startup} with
 * their lag, which is less than what they would have taken. {@code offered}, {@code started},
 * {@code late} (started after the schedule's end) and {@code lost} are numbers of children. A row
 * of which children are lost, or more than 1 % late, says that its rate was not reached. Its score
 * is no peak.
 *
 * <p>{@code -p rate=search} finds the highest rate at which 99 of 100 children of a schedule have
 * ended within 10 ms of their intended start, and {@code -p rate=search:25} that for 25 ms. It
 * starts one child after the other first, and then tries at most 8 rates, each for {@code seconds}
 * and as long again at most; the output says which. {@code highestRate} (ops/s, all machines) is
 * the highest one that held, known to about 5 %; the other figures are of that trial. It runs for
 * some minutes: shorten it with {@code -p seconds=3}.
 *
 * <p>What can mislead:
 *
 * <ul>
 *   <li>Machines of one host share its CPUs: more of them make no higher figure here.
 *   <li>One loop after the other is how fast children are served, not how they would come; without
 *       a rate, {@code startup} says nothing about waiting.
 *   <li>The primary score is the length of the run, and a share of several forks' runs may have
 *       been stable: then {@code peak} is a mean of both kinds.
 *   <li>Compare with {@code emptyContainer}, as many loops of nothing but containers: what is left
 *       of its rate is remote fork's share.
 * </ul>
 */
@Needs(workingSets = 2, userfaultfd = true)
@BenchmarkMode(Mode.SingleShotTime)
@OutputTimeUnit(TimeUnit.MICROSECONDS)
@Warmup(iterations = 0)
@Measurement(iterations = 1)
@Fork(value = 3, jvmArgsAppend = JvmOptions.NATIVE_ACCESS)
public class PeakThroughput {
  /** The run is looked at in so many parts. */
  private static final int INTERVALS = 20;

  private static final int FEWEST_STABLE = INTERVALS / 4;
  private static final double TOLERANCE = 0.1;
  private static final double NS_PER_S = 1e9;
  private static final double NS_PER_MS = 1e6;
  private static final int SEARCH_STEPS = 8;

  /** Made by JMH, which needs a public constructor. */
  public PeakThroughput() {}

  /**
   * Runs these benchmarks alone, as {@code ./bench} does; for IDEs.
   *
   * @param args JMH's options
   * @throws Exception as {@code org.openjdk.jmh.Main} does
   */
  public static void main(String[] args) throws Exception {
    SingleClass.run(PeakThroughput.class, args);
  }

  /** Children of a C program with a working set, which end at once. */
  @Benchmark
  public void workingSet(WorkingSetLoad state) {
    measure(state);
  }

  /** Children of a Python function, which call it. */
  @Benchmark
  public void function(FunctionLoad state) {
    measure(state);
  }

  /** Children of a warm JVM, which call its function. */
  @Benchmark
  public void jvm(JvmLoad state) {
    measure(state);
  }

  /** Empty lean containers: an upper limit for the figures of children of this run. */
  @Benchmark
  public void emptyContainer(EmptyLoad state) {
    peak(state.run(), state.seconds, false);
  }

  /**
   * What the launchers of a machine have done.
   *
   * @param late how many children were started after the end of their loop's schedule
   */
  record Done(List<LaunchLoop.Child> children, List<LaunchLoop.Lost> lost, long late) {
    static Done of(List<LaunchLoop> loops, long scheduleNs) {
      List<LaunchLoop.Child> children = new ArrayList<>();
      long late = 0;
      for (LaunchLoop loop : loops) {
        List<LaunchLoop.Child> here = loop.await();
        late += late(here, scheduleNs);
        children.addAll(here);
      }
      // The lost ones are known once all children have been read.
      return new Done(
          children, loops.stream().flatMap(loop -> loop.lost().stream()).toList(), late);
    }

    /** A loop starts a child when it is due and the one before has ended. */
    static long late(List<LaunchLoop.Child> ofLoop, long scheduleNs) {
      return ofLoop.isEmpty() ? 0 : lateAt(ofLoop, ofLoop.get(0).intendedNs() + scheduleNs);
    }

    /** The same of a schedule with an end. */
    static long lateAt(List<LaunchLoop.Child> ofLoop, long scheduleEndNs) {
      long late = 0;
      long freeNs = Long.MIN_VALUE;
      for (LaunchLoop.Child child : ofLoop) {
        if (Math.max(child.intendedNs(), freeNs) >= scheduleEndNs) {
          late++;
        }
        freeNs = child.endNs();
      }
      return late;
    }
  }

  private static void measure(Load state) {
    LoopParameters.Rate rate = LoopParameters.Rate.parse(state.rate);
    if (rate.isSearched()) {
      search(state, rate.limitMs());
    } else {
      peak(state.run(rate.perSecond()), state.seconds, rate.perSecond() > 0);
    }
  }

  private static void search(Load state, int limitMs) {
    int machines = state.fork().childMachines().size();
    long limitNs = TimeUnit.MILLISECONDS.toNanos(limitMs);
    List<Done> unpaced = state.run(0);
    double capacity =
        unpaced.stream().mapToLong(done -> done.children().size()).sum()
            / (double) LoopParameters.seconds(state.seconds)
            / machines;
    System.out.printf(
        Locale.ROOT, "rate search: one after the other %.0f/s on each machine%n", capacity);
    List<List<Done>> best = new ArrayList<>();
    RateSearch.Found found =
        RateSearch.highest(
            LoopParameters.loops(state.loops),
            capacity,
            SEARCH_STEPS,
            (rate, step) -> {
              List<Done> trial = state.run(rate);
              long p99Ns = p99Ns(trial);
              boolean holds = p99Ns <= limitNs && load(trial).isReached();
              System.out.printf(
                  Locale.ROOT,
                  "rate search: trial %d of at most %d: %d/s, p99 %.3f ms%s: %s%n",
                  step,
                  SEARCH_STEPS,
                  rate,
                  p99Ns / NS_PER_MS,
                  load(trial).isReached() ? "" : ", " + load(trial).note(),
                  holds ? "holds" : "does not hold");
              if (holds) {
                best.clear();
                best.add(trial);
              }
              return holds;
            });
    if (best.isEmpty()) {
      throw new IllegalStateException(
          "no rate was found at which 99 of 100 children end within "
              + limitMs
              + " ms: choose a higher limit with -p rate=search:MS");
    }
    peak(best.get(0), state.seconds, true);
    SelfTimed.value("highestRate", (double) found.rate() * machines, "ops/s");
    SelfTimed.value("searchSteps", found.steps(), "trials");
  }

  private static long p99Ns(List<Done> trial) {
    return RateSearch.p99(
        trial.stream()
            .flatMapToLong(
                done ->
                    LongStream.concat(
                        done.children().stream().mapToLong(LaunchLoop.Child::latencyNs),
                        done.lost().stream().mapToLong(LaunchLoop.Lost::lagNs)))
            .toArray());
  }

  private static OfferedLoad load(List<Done> byMachine) {
    long lost = byMachine.stream().mapToLong(done -> done.lost().size()).sum();
    return new OfferedLoad(
        lost + byMachine.stream().mapToLong(done -> done.children().size()).sum(),
        lost,
        byMachine.stream().mapToLong(Done::late).sum());
  }

  private static void peak(List<Done> byMachine, String seconds, boolean scheduled) {
    List<LaunchLoop.Child> all =
        byMachine.stream().flatMap(machine -> machine.children().stream()).toList();
    if (all.isEmpty()) {
      throw new IllegalStateException(
          "no child ended within " + seconds + " s; choose a longer run with -p seconds");
    }
    List<Long> ends = all.stream().map(LaunchLoop.Child::endNs).toList();
    long startNs = all.stream().mapToLong(LaunchLoop.Child::intendedNs).min().getAsLong();
    long endNs = ends.stream().mapToLong(Long::longValue).max().getAsLong() + 1;
    Optional<Rates.Span> stable =
        Rates.of(ends, startNs, endNs, INTERVALS)
            .stable(TOLERANCE, FEWEST_STABLE, ends, latencies(all));
    Rates.Span span = stable.orElse(new Rates.Span(startNs, endNs));
    SelfTimed.value("stable", stable.isPresent() ? 1 : 0, "share");
    SelfTimed.value("stableFrom", (span.fromNs() - startNs) / NS_PER_S, "s");
    SelfTimed.value("stableTo", (span.toNs() - startNs) / NS_PER_S, "s");
    SelfTimed.value("peak", span.perSecond(ends), "ops/s");
    for (int i = 0; i < byMachine.size(); i++) {
      List<Long> endsHere =
          byMachine.get(i).children().stream().map(LaunchLoop.Child::endNs).toList();
      SelfTimed.value("peak.machine" + (i + 1), span.perSecond(endsHere), "ops/s");
    }
    all.stream()
        .sorted(Comparator.comparingLong(LaunchLoop.Child::endNs))
        .forEach(child -> SelfTimed.recordAt("child", child.latencyNs(), child.endNs()));
    all.stream()
        .filter(child -> scheduled || span.contains(child.endNs()))
        .forEach(child -> SelfTimed.record("startup", child.latencyNs()));
    if (scheduled) {
      List<LaunchLoop.Lost> lost =
          byMachine.stream().flatMap(machine -> machine.lost().stream()).toList();
      lost.forEach(child -> SelfTimed.record("startup", child.lagNs()));
      OfferedLoad load = load(byMachine);
      SelfTimed.value("offered", load.offered(), "children");
      SelfTimed.value("started", all.size(), "children");
      SelfTimed.value("late", load.late(), "children");
      SelfTimed.value("lost", load.lost(), "children");
    }
  }

  private static List<Long> latencies(List<LaunchLoop.Child> children) {
    return children.stream().map(LaunchLoop.Child::latencyNs).toList();
  }

  /** A parent with a working set, and what is asked of it. */
  @State(Scope.Thread)
  public static class WorkingSetLoad extends Load {
    /** As {@link org.mitosis.fixture.MemorySize#parse} reads it. */
    @Param("1048576")
    public String memorySize;

    /** Made by JMH, which needs a public constructor. */
    public WorkingSetLoad() {}

    /** Starts machines, parent and launchers. */
    @Setup
    public void start() {
      start(RemoteFork.of(Preflight.memorySize(memorySize, 2)));
    }
  }

  /** A function whose children call it, and what is asked of it. */
  @State(Scope.Thread)
  public static class FunctionLoad extends Load {
    /** Made by JMH, which needs a public constructor. */
    public FunctionLoad() {}

    /** Starts machines, parent and launchers. */
    @Setup
    public void start(FunctionNameState state) {
      start(
          RemoteFork.of(Preflight.function(state.functionName))
              .childWork(ParentProcess.ChildWork.WORK));
    }
  }

  /** A warm JVM whose children call its function, and what is asked of it. */
  @State(Scope.Thread)
  public static class JvmLoad extends Load {
    /** Made by JMH, which needs a public constructor. */
    public JvmLoad() {}

    /** Starts machines, parent and launchers. */
    @Setup
    public void start(JvmFunctionState state) {
      start(RemoteFork.of(state.function()).childWork(ParentProcess.ChildWork.WORK));
    }
  }

  /** Loops of empty containers. */
  @State(Scope.Thread)
  public static class EmptyLoad {
    /** See {@link Load#loops}. */
    @Param(LoopParameters.AS_MANY_AS_CPUS)
    public String loops;

    /** See {@link Load#seconds}. */
    @Param("10")
    public String seconds;

    /** See {@link Placement}. */
    @Param("pinned")
    public String placement;

    /** Made by JMH, which needs a public constructor. */
    public EmptyLoad() {}

    List<Done> run() {
      ChildLauncher.Builder launcher =
          ChildLauncher.ofEmptyContainers()
              .placement(Preflight.choice(Placement.class, Placement.PROPERTY, placement));
      return children(List.of(launcher), loops, seconds, 0);
    }
  }

  /** A parent, child machines, and what they are to do. */
  @State(Scope.Thread)
  public abstract static class Load extends RemoteForkState {
    /** How many machines start children; over {@code transport=local} there is one. */
    @Param("1")
    public String childMachines;

    /** Launchers on each of them: a number, or {@code cpus}. */
    @Param(LoopParameters.AS_MANY_AS_CPUS)
    public String loops;

    /** How long they work. */
    @Param("10")
    public String seconds;

    /**
     * Children a second on each machine, by a fixed schedule; 0 for one after the other; {@code
     * search}, or {@code search:MS} with a limit, for the highest one that holds.
     */
    @Param("0")
    public String rate;

    private Load() {}

    @Override
    protected void describe(RemoteFork.Builder builder) {
      builder.childMachines(LoopParameters.childMachines(childMachines));
      LoopParameters.seconds(seconds); // now rather than after the machines have been made
      int perSecond = LoopParameters.Rate.parse(rate).perSecond();
      int count = LoopParameters.loops(loops);
      if (perSecond > 0 && perSecond < count) {
        throw new MissingPrerequisite(
            "rate '" + rate + "' is less than one child a second for each of " + count + " loops");
      }
    }

    List<Done> run(int perSecond) {
      return children(
          fork().childMachines().stream().map(fork()::launcherOn).toList(),
          loops,
          seconds,
          perSecond);
    }
  }

  /** Lets so many loops of each launcher run, all at once; the children of each launcher. */
  private static List<Done> children(
      List<ChildLauncher.Builder> launchers, String loops, String seconds, int rate) {
    List<List<LaunchLoop>> byLauncher = new ArrayList<>();
    int count = LoopParameters.loops(loops);
    try {
      for (ChildLauncher.Builder launcher : launchers) {
        List<LaunchLoop> here = new ArrayList<>();
        byLauncher.add(here);
        for (int i = 0; i < count; i++) {
          // What does not divide evenly goes to the first ones.
          int share = rate / count + (i < rate % count ? 1 : 0);
          here.add(launcher.startLoop(LoopParameters.seconds(seconds), share));
        }
      }
      long scheduleNs =
          rate > 0 ? TimeUnit.SECONDS.toNanos(LoopParameters.seconds(seconds)) : Long.MAX_VALUE / 2;
      return byLauncher.stream().map(here -> Done.of(here, scheduleNs)).toList();
    } finally {
      byLauncher.forEach(here -> here.forEach(LaunchLoop::close));
    }
  }
}
