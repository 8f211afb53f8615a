// SPDX-License-Identifier: Apache-2.0
package org.mitosis.benchmark;

import java.util.concurrent.TimeUnit;
import org.mitosis.fixture.ChildLauncher;
import org.mitosis.fixture.ContainerKind;
import org.mitosis.fixture.Needs;
import org.mitosis.fixture.Placement;
import org.mitosis.fixture.Preflight;
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
 * The cost of starting a child that resumes nothing: the floor below every {@code startup} of the
 * same run, and the ceiling of {@link PeakThroughput}.
 *
 * <p>Run {@code ./bench EmptyContainer}. The figure is the metric {@code startup}, from the request
 * to the child's end, by the launcher's clock.
 *
 * <p>What can mislead: a lean container is as much of one as this machine and user allow. The run
 * says so where that is less than asked for; {@code ./bench doctor} says it too. A strict one is
 * left out where it cannot be had, as for a user other than root.
 */
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.MICROSECONDS)
@Warmup(iterations = 2, time = 300, timeUnit = TimeUnit.MILLISECONDS)
@Measurement(iterations = 10, time = 250, timeUnit = TimeUnit.MILLISECONDS)
@Fork(value = 3, jvmArgsAppend = JvmOptions.NATIVE_ACCESS)
@Needs(strictContainer = true)
public class EmptyContainer {
  /** Made by JMH, which needs a public constructor. */
  public EmptyContainer() {}

  /**
   * Runs these benchmarks alone, as {@code ./bench} does; for IDEs.
   *
   * @param args JMH's options
   * @throws Exception as {@code org.openjdk.jmh.Main} does
   */
  public static void main(String[] args) throws Exception {
    SingleClass.run(EmptyContainer.class, args);
  }

  /** Namespaces, control groups and a root directory are joined. */
  @Benchmark
  public void lean(Lean state) {
    SelfTimed.record("startup", state.launch().startupNs());
  }

  /** As lean, and a security boundary: its own user, read-only files, no network, seccomp. */
  @Benchmark
  public void strict(Strict state) {
    SelfTimed.record("startup", state.launch().startupNs());
  }

  /** A plain fork of the launcher. */
  @Benchmark
  public void none(None state) {
    SelfTimed.record("startup", state.launch().startupNs());
  }

  /** A launcher of lean containers, for each benchmark thread. */
  @State(Scope.Thread)
  public static class Lean extends Launching {
    /** Made by JMH, which needs a public constructor. */
    public Lean() {
      super(ContainerKind.LEAN);
    }
  }

  /** A launcher of strict containers, for each benchmark thread. */
  @State(Scope.Thread)
  public static class Strict extends Launching {
    /** Made by JMH, which needs a public constructor. */
    public Strict() {
      super(ContainerKind.STRICT);
    }
  }

  /** A launcher of plain forks, for each benchmark thread. */
  @State(Scope.Thread)
  public static class None extends Launching {
    /** Made by JMH, which needs a public constructor. */
    public None() {
      super(ContainerKind.NONE);
    }
  }

  /** A launcher of one kind of containers. */
  @State(Scope.Thread)
  public abstract static class Launching {
    /** See {@link Placement}. */
    @Param("pinned")
    public String placement;

    private final ContainerKind kind;
    private ChildLauncher launcher;

    private Launching(ContainerKind kind) {
      this.kind = kind;
    }

    ChildLauncher.Times launch() {
      return launcher.launch();
    }

    /** Starts the launcher. */
    @Setup
    public void start() {
      launcher =
          ChildLauncher.ofEmptyContainers()
              .container(kind)
              .placement(Preflight.choice(Placement.class, Placement.PROPERTY, placement))
              .start();
      if (!launcher.reason().isEmpty()) {
        System.out.println("# less of a container than asked for: " + launcher.reason());
      }
    }

    /** Ends the launcher. */
    @TearDown
    public void stop() {
      if (launcher != null) {
        launcher.close();
      }
    }
  }
}
