// SPDX-License-Identifier: Apache-2.0
package org.mitosis.benchmark;

import java.util.concurrent.TimeUnit;
import org.mitosis.fixture.HeldChildren;
import org.mitosis.fixture.JvmFunctionState;
import org.mitosis.fixture.MachineMemory;
import org.mitosis.fixture.MemorySize;
import org.mitosis.fixture.Needs;
import org.mitosis.fixture.ParentProcess;
import org.mitosis.fixture.Preflight;
import org.mitosis.fixture.Range;
import org.mitosis.fixture.RemoteFork;
import org.mitosis.fixture.RemoteJvm;
import org.mitosis.fixture.ResumeMode;
import org.mitosis.result.SelfTimed;
import org.mitosis.setting.MissingPrerequisite;
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
 * The memory of children that live at the same time.
 *
 * <p>Run {@code ./bench Memory.jvm}. The figure is the metric {@code childMemory} (MiB): the memory
 * of all children after their first result, by PSS, divided by their number. {@code
 * childPages.heap} and its like are the pages that one of them then has as its own, by what they
 * are for: heap, metaspace, code cache, archive of class data, libraries, stacks, and other. The
 * primary score is how long it took to start, to measure and to end them.
 *
 * <p>What can mislead:
 *
 * <ul>
 *   <li>Parent and snapshot are not in the figure. Mapped files, of which the JVM has many, are
 *       shared by all: each child counts its share, which is smaller the more there are.
 *   <li>A child that goes on working takes more: with {@code -p resumeMode=eager} it has all pages.
 * </ul>
 */
@Needs(userfaultfd = true)
@BenchmarkMode(Mode.SingleShotTime)
@OutputTimeUnit(TimeUnit.MILLISECONDS)
@Warmup(iterations = 0)
@Measurement(iterations = 3)
@Fork(value = 3, jvmArgsAppend = JvmOptions.NATIVE_ACCESS)
public class Memory {
  /** Made by JMH, which needs a public constructor. */
  public Memory() {}

  /**
   * Runs these benchmarks alone, as {@code ./bench} does; for IDEs.
   *
   * @param args JMH's options
   * @throws Exception as {@code org.openjdk.jmh.Main} does
   */
  public static void main(String[] args) throws Exception {
    SingleClass.run(Memory.class, args);
  }

  /** Children of a warm JVM that have called its function, and stay. */
  @Benchmark
  public void jvm(Holding state) {
    try (HeldChildren children = state.fork().heldChildren()) {
      for (int i = 0; i < state.count; i++) {
        children.add();
      }
      double bytes = (double) children.pssBytes() / state.count;
      SelfTimed.value("childMemory", bytes / (1 << 20), "MiB");
      children
          .pages(state.fork().parent())
          .forEach((area, pages) -> SelfTimed.value("childPages." + area, pages, "pages"));
    }
  }

  /** A warm JVM, and how many children it is to have. */
  @State(Scope.Thread)
  public static class Holding extends RemoteJvm {
    private static final int MOST_CHILDREN = 1000;

    /** Of a child that gets its pages on demand. */
    private static final MemorySize OF_A_CHILD = MemorySize.ofMebibytes(32);

    /** How many children live at the same time. */
    @Param({"1", "10", "50"})
    @Range(min = 1, max = MOST_CHILDREN)
    public String children;

    private int count;

    /** Made by JMH, which needs a public constructor. */
    public Holding() {}

    @Override
    protected void describe(RemoteFork.Builder builder) {
      builder.childWork(ParentProcess.ChildWork.WORK);
    }

    /** Checks that there is room. */
    @Setup
    public void check(JvmFunctionState state) {
      count = Preflight.number("children", children, 1, MOST_CHILDREN);
      MachineMemory memory = MachineMemory.read();
      boolean eager =
          Preflight.choice(ResumeMode.class, ResumeMode.PROPERTY, resumeMode) == ResumeMode.EAGER;
      MemorySize each = eager ? state.function().memory() : OF_A_CHILD;
      if (!memory.fits(each, count, MachineMemory.OVERHEAD_BYTES)) {
        throw new MissingPrerequisite(
            count
                + " children of up to "
                + (each.bytes() >> 20)
                + " MiB do not fit into "
                + (memory.availableBytes() >> 20)
                + " MiB of "
                + memory.source()
                + ": choose fewer (-p children=N)");
      }
    }
  }
}
