// SPDX-License-Identifier: Apache-2.0
package org.mitosis.benchmark;

import java.util.concurrent.TimeUnit;
import org.mitosis.Device;
import org.mitosis.Mitosis;
import org.mitosis.MitosisException;
import org.mitosis.fixture.MemorySize;
import org.mitosis.fixture.ParentProcess;
import org.mitosis.fixture.Preflight;
import org.mitosis.result.SelfTimed;
import org.mitosis.setting.MissingPrerequisite;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Fork;
import org.openjdk.jmh.annotations.Measurement;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OperationsPerInvocation;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.TearDown;
import org.openjdk.jmh.annotations.Warmup;

/**
 * The noise floor: the time to enter the backend and return, through JNA and in plain C side by
 * side. No other figure can be smaller, and a difference below it means nothing.
 *
 * <p>Run {@code ./bench NilCall}. Both primary scores are ns for one call.
 *
 * <p>What can mislead:
 *
 * <ul>
 *   <li>Nil does what the chosen backend does for it: a system call on the kernel backend, a look
 *       at the daemon's health on the user backend. Compare within one backend only.
 *   <li>{@code c} is told to start by a line through a pipe, which its primary score contains,
 *       spread over {@value #CALLS} calls: some ns. The metric {@code nil} is the loop by its own
 *       clock.
 * </ul>
 */
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.NANOSECONDS)
@Warmup(iterations = 3, time = 300, timeUnit = TimeUnit.MILLISECONDS)
@Measurement(iterations = 10, time = 250, timeUnit = TimeUnit.MILLISECONDS)
@Fork(value = 3, jvmArgsAppend = JvmOptions.NATIVE_ACCESS)
public class NilCall {
  /** Calls in one invocation of {@link #c}. */
  static final int CALLS = 20_000;

  /** Made by JMH, which needs a public constructor. */
  public NilCall() {}

  /**
   * Runs these benchmarks alone, as {@code ./bench} does; for IDEs.
   *
   * @param args JMH's options
   * @throws Exception as {@code org.openjdk.jmh.Main} does
   */
  public static void main(String[] args) throws Exception {
    SingleClass.run(NilCall.class, args);
  }

  /** One call from Java. */
  @Benchmark
  public void jna(JnaState state) {
    state.device.nil();
  }

  /** The same call in a loop of C. */
  @Benchmark
  @OperationsPerInvocation(CALLS)
  public void c(CState state) {
    SelfTimed.record("nil", state.parent.nilNs(CALLS), CALLS);
  }

  /** An open device for each benchmark thread. */
  @State(Scope.Thread)
  public static class JnaState {
    private Device device;

    /** Made by JMH, which needs a public constructor. */
    public JnaState() {}

    /** Opens the device. */
    @Setup
    public void start() {
      try {
        device = Mitosis.open(Preflight.backend().backend());
      } catch (MitosisException e) {
        throw new MissingPrerequisite(e.getMessage());
      }
    }

    /** Closes the device. */
    @TearDown
    public void stop() {
      if (device != null) {
        device.close();
      }
    }
  }

  /** A small parent for each benchmark thread. */
  @State(Scope.Thread)
  public static class CState {
    private ParentProcess parent;

    /** Made by JMH, which needs a public constructor. */
    public CState() {}

    /** Starts the parent. */
    @Setup
    public void start() {
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
