// SPDX-License-Identifier: Apache-2.0
package org.example;

import java.util.List;
import java.util.concurrent.TimeUnit;
import org.mitosis.fixture.RemoteFork;
import org.mitosis.fixture.Transport;
import org.mitosis.result.SelfTimed;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Fork;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Param;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.TearDown;

/** A benchmark of one's own, of a parent program of one's own. */
@State(Scope.Thread)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.MICROSECONDS)
@Fork(value = 1, jvmArgsAppend = "--enable-native-access=ALL-UNNAMED")
public class CounterBenchmark {
  @Param({"local", "tcp"})
  public String transport;

  private RemoteFork fork;

  @Setup
  public void start() {
    fork =
        RemoteFork.ofProgram(List.of("/usr/bin/python3", System.getProperty("counter")))
            .transport(Transport.valueOf(transport.toUpperCase()))
            .start();
  }

  @Benchmark
  public void child() {
    SelfTimed.record("resume", fork.launcher().launch().resumeNs());
  }

  @TearDown
  public void stop() {
    fork.close();
  }
}
