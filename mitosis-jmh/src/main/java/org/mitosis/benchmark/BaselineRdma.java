// SPDX-License-Identifier: Apache-2.0
package org.mitosis.benchmark;

import java.util.concurrent.TimeUnit;
import org.mitosis.fixture.Needs;
import org.mitosis.fixture.RdmaFloor;
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
 * What the RDMA device of this host takes by itself: the noise floor of all that {@code
 * transport=rdma} does.
 *
 * <p>Run {@code ./bench BaselineRdma}; {@code ./bench Baseline} runs it as well. The figures are
 * the metrics {@code rdmaSend}, from a request until its answer of {@code messageSize} bytes has
 * come, and {@code rdmaRead}, until a one-sided READ of as many bytes is complete, by the
 * requester's clock. Without a device they are left out.
 *
 * <p>What can mislead:
 *
 * <ul>
 *   <li>Both ends are on this host: no cable and no switch is between them.
 *   <li>Both ends poll, each on a CPU: a pager sleeps after 20 µs.
 *   <li>Times of soft-RoCE are those of an emulation in the kernel.
 * </ul>
 */
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.MICROSECONDS)
@Warmup(iterations = 2, time = 300, timeUnit = TimeUnit.MILLISECONDS)
@Measurement(iterations = 10, time = 250, timeUnit = TimeUnit.MILLISECONDS)
@Fork(value = 3, jvmArgsAppend = JvmOptions.NATIVE_ACCESS)
@Needs(rdma = true)
public class BaselineRdma {
  /** Made by JMH, which needs a public constructor. */
  public BaselineRdma() {}

  /**
   * Runs these benchmarks alone, as {@code ./bench} does; for IDEs.
   *
   * @param args JMH's options
   * @throws Exception as {@code org.openjdk.jmh.Main} does
   */
  public static void main(String[] args) throws Exception {
    SingleClass.run(BaselineRdma.class, args);
  }

  /** A request, and its answer by SEND and RECV. */
  @Benchmark
  public void rdmaSend(Connection state) {
    SelfTimed.record("rdmaSend", state.floor.sendNs(state.bytes));
  }

  /** A one-sided READ. */
  @Benchmark
  public void rdmaRead(Connection state) {
    SelfTimed.record("rdmaRead", state.floor.readNs(state.bytes));
  }

  /** Two connected processes for each benchmark thread. */
  @State(Scope.Thread)
  public static class Connection {
    /** Bytes of an answer: 1 page, 16 and 64 pages. */
    @Param({"4096", "65536", "262144"})
    public String messageSize;

    private RdmaFloor floor;
    private int bytes;

    /** Made by JMH, which needs a public constructor. */
    public Connection() {}

    /** Connects them. */
    @Setup
    public void start() {
      bytes = RdmaFloor.messageSize(messageSize);
      floor = RdmaFloor.start();
    }

    /** Ends them. */
    @TearDown
    public void stop() {
      if (floor != null) {
        floor.close();
      }
    }
  }
}
