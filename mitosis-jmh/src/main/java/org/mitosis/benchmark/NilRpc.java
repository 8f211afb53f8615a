// SPDX-License-Identifier: Apache-2.0
package org.mitosis.benchmark;

import java.util.concurrent.TimeUnit;
import org.mitosis.Backend;
import org.mitosis.Device;
import org.mitosis.Mitosis;
import org.mitosis.MitosisException;
import org.mitosis.fixture.Machine;
import org.mitosis.fixture.MemorySize;
import org.mitosis.fixture.Needs;
import org.mitosis.fixture.Preflight;
import org.mitosis.fixture.Protection;
import org.mitosis.fixture.RemoteFork;
import org.mitosis.fixture.Transport;
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
 * One empty request to another machine and its answer: the noise floor of all requests to a
 * machine, from Java and in plain C side by side.
 *
 * <p>Run {@code ./bench NilRpc}, and {@code ./bench NilRpc.jna -t 4} for several threads, each with
 * a device, and so a connection, of its own. Both primary scores are us for one request of one
 * thread.
 *
 * <p>What can mislead:
 *
 * <ul>
 *   <li>The other machine is on this host: what a network adds is missing, and with more threads
 *       than there are CPUs, caller and daemon wait for each other's.
 *   <li>A daemon answers all its connections one after the other: the score rises with the threads,
 *       and requests per second are threads / score.
 *   <li>{@code c} is told to start by a line through a pipe, spread over {@value #CALLS} requests.
 *       The metric {@code nilRpc} is the loop by its own clock.
 * </ul>
 */
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.MICROSECONDS)
@Warmup(iterations = 2, time = 300, timeUnit = TimeUnit.MILLISECONDS)
@Measurement(iterations = 10, time = 250, timeUnit = TimeUnit.MILLISECONDS)
@Fork(value = 3, jvmArgsAppend = JvmOptions.NATIVE_ACCESS)
@Needs(userfaultfd = true)
public class NilRpc {
  /** Requests in one invocation of {@link #c}. */
  static final int CALLS = 200;

  /** No other program should have a session of this machine to a machine of this id. */
  private static final int MACHINE = 1_999_999_999;

  /** Made by JMH, which needs a public constructor. */
  public NilRpc() {}

  /**
   * Runs these benchmarks alone, as {@code ./bench} does; for IDEs.
   *
   * @param args JMH's options
   * @throws Exception as {@code org.openjdk.jmh.Main} does
   */
  public static void main(String[] args) throws Exception {
    SingleClass.run(NilRpc.class, args);
  }

  /** One request from Java. */
  @Benchmark
  public void jna(Connected state) {
    state.device.nilRpc(state.machineId);
  }

  /** The same request in a loop of C. */
  @Benchmark
  @OperationsPerInvocation(CALLS)
  public void c(Launcher state) {
    SelfTimed.record("nilRpc", state.fork.launcher().nilRpcNs(CALLS), CALLS);
  }

  /** The other machine, one for all threads. */
  @State(Scope.Benchmark)
  public static class Other {
    private Machine machine;

    /** Made by JMH, which needs a public constructor. */
    public Other() {}

    /** Starts it; on the kernel backend this host is its own other machine. */
    @Setup
    public void start() {
      if (Preflight.backend().backend() == Backend.KERNEL) {
        machine = Machine.ofKernelModule();
        return;
      }
      machine = Machine.of(MACHINE).protection(Protection.ofThisProcess()).start();
      System.setProperty(Mitosis.KEY_FILE_PROPERTY, machine.keyFile().toString());
    }

    /** Ends it. */
    @TearDown
    public void stop() {
      System.clearProperty(Mitosis.KEY_FILE_PROPERTY);
      if (machine != null) {
        machine.close();
      }
    }
  }

  /** A connected device for each benchmark thread. */
  @State(Scope.Thread)
  public static class Connected {
    private Device device;
    private int machineId;

    /** Made by JMH, which needs a public constructor. */
    public Connected() {}

    /** Opens the device and connects this machine to the other. */
    @Setup
    public void start(Other other) {
      try {
        device = Mitosis.open(Preflight.backend().backend());
        machineId = other.machine.id();
        device.connect(machineId, other.machine.address());
      } catch (MitosisException e) {
        stop();
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

  /** Two machines and a launcher for each benchmark thread. */
  @State(Scope.Thread)
  public static class Launcher {
    private RemoteFork fork;

    /** Made by JMH, which needs a public constructor. */
    public Launcher() {}

    /** Starts them. */
    @Setup
    public void start() {
      fork = RemoteFork.of(MemorySize.ofMebibytes(1)).transport(Transport.TCP).start();
    }

    /** Ends them. */
    @TearDown
    public void stop() {
      if (fork != null) {
        fork.close();
      }
    }
  }
}
