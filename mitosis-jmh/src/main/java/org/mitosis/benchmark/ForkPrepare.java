// SPDX-License-Identifier: Apache-2.0
package org.mitosis.benchmark;

import java.util.concurrent.TimeUnit;
import org.mitosis.Device;
import org.mitosis.Mitosis;
import org.mitosis.MitosisException;
import org.mitosis.fixture.MemorySize;
import org.mitosis.fixture.MemorySizeState;
import org.mitosis.fixture.OffHeapWorkingSet;
import org.mitosis.fixture.ParentProcess;
import org.mitosis.fixture.Preflight;
import org.mitosis.fixture.ThreadedParent;
import org.mitosis.fixture.WarmFunction;
import org.mitosis.fixture.WorkingSet;
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
import org.openjdk.jmh.infra.ThreadParams;

/**
 * The pause of a process with a working set of {@code memorySize} while it is prepared: the
 * published {@code fork_prepare} benchmark.
 *
 * <p>Run {@code ./bench ForkPrepare}, or one size: {@code ./bench ForkPrepare.workingSet -p
 * memorySize=64m}. The figure is the metric {@code prepare}, from before to after the call, by the
 * clock of the process that makes it. The primary score is the whole round of touching, preparing
 * and unpreparing, seen from the harness.
 *
 * <p>What can mislead:
 *
 * <ul>
 *   <li>Preparing write-protects the page tables, so its time follows the pages that have been
 *       touched since the last prepare; each sample therefore touches all of them first, untimed.
 *   <li>Huge pages make the page tables of a large working set shorter by a factor of 512. The
 *       environment of a result says whether they were on.
 *   <li>{@code jvm} prepares the JVM's heap, code and metaspace as well: compare it with {@code
 *       workingSet} at large sizes only.
 *   <li>At 1 GiB an iteration holds two or three samples: ask for more with {@code -r 5}.
 * </ul>
 */
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.MICROSECONDS)
@Warmup(iterations = 2, time = 300, timeUnit = TimeUnit.MILLISECONDS)
@Measurement(iterations = 10, time = 250, timeUnit = TimeUnit.MILLISECONDS)
@Fork(
    value = 3,
    jvmArgsAppend = {JvmOptions.NATIVE_ACCESS, JvmOptions.MUCH_DIRECT_MEMORY})
public class ForkPrepare {
  /** Made by JMH, which needs a public constructor. */
  public ForkPrepare() {}

  /**
   * Runs these benchmarks alone, as {@code ./bench} does; for IDEs.
   *
   * @param args JMH's options
   * @throws Exception as {@code org.openjdk.jmh.Main} does
   */
  public static void main(String[] args) throws Exception {
    SingleClass.run(ForkPrepare.class, args);
  }

  /** A C program prepares itself, as in the published figures. */
  @Benchmark
  public void workingSet(WorkingSet state) {
    ParentProcess parent = state.parent();
    parent.touchNs();
    SelfTimed.record("prepare", parent.prepareNs());
    parent.unprepareNs();
  }

  /** A Python function prepares itself after one more call, as in the published figures. */
  @Benchmark
  public void function(WarmFunction state) {
    ParentProcess parent = state.parent();
    parent.touchNs();
    SelfTimed.record("prepare", parent.prepareNs());
    parent.unprepareNs();
  }

  /**
   * A C program with threads and open files prepares itself: all threads stand still. In turns with
   * it, the metric {@code pause} is for how long one more thread stood still, and {@code fork} is
   * fork(2) of the same process.
   */
  @Benchmark
  public void threads(ThreadedParent state) {
    ParentProcess parent = state.parent();
    parent.touchNs();
    SelfTimed.record("prepare", parent.prepareNs());
    parent.unprepareNs();
    parent.touchNs();
    SelfTimed.record("pause", parent.pauseNs());
    parent.unprepareNs();
    parent.touchNs();
    SelfTimed.record("fork", parent.forkNs());
  }

  /** This JVM prepares itself, with a working set outside its heap. */
  @Benchmark
  public void jvm(JvmState state) {
    state.workingSet.touch();
    long before = System.nanoTime();
    state.device.prepare(state.handlerId);
    SelfTimed.record("prepare", System.nanoTime() - before);
    state.device.unprepare(state.handlerId);
  }

  /** A device and a working set of this JVM, for each benchmark thread. */
  @State(Scope.Thread)
  public static class JvmState extends MemorySizeState {
    private Device device;
    private OffHeapWorkingSet workingSet;
    private int handlerId;

    /** Made by JMH, which needs a public constructor. */
    public JvmState() {}

    /** Opens the device and takes the memory. */
    @Setup
    public void start(ThreadParams thread) {
      MemorySize size = Preflight.memorySize(memorySize);
      handlerId = ParentProcess.DEFAULT_HANDLER_ID + thread.getThreadIndex();
      try {
        device = Mitosis.open(Preflight.backend().backend());
      } catch (MitosisException e) {
        throw new MissingPrerequisite(e.getMessage());
      }
      workingSet = new OffHeapWorkingSet(size);
    }

    /** Closes the device. */
    @TearDown
    public void stop() {
      if (device != null) {
        device.close();
      }
    }
  }
}
