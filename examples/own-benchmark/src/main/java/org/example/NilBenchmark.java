// SPDX-License-Identifier: Apache-2.0
package org.example;

import java.util.concurrent.TimeUnit;
import org.mitosis.Device;
import org.mitosis.Mitosis;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Fork;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.TearDown;

/** The API alone: a call to the backend that does nothing. Needs no right. */
@State(Scope.Thread)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.MICROSECONDS)
@Fork(value = 1, jvmArgsAppend = "--enable-native-access=ALL-UNNAMED")
public class NilBenchmark {
  private Device device;

  @Setup
  public void open() {
    device = Mitosis.open();
  }

  @Benchmark
  public void call() {
    device.nil();
  }

  @TearDown
  public void close() {
    device.close();
  }
}
