// SPDX-License-Identifier: Apache-2.0
package org.mitosis.result;

import java.util.List;
import java.util.concurrent.TimeUnit;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.infra.BenchmarkParams;
import org.openjdk.jmh.infra.IterationParams;
import org.openjdk.jmh.runner.WorkloadParams;
import org.openjdk.jmh.runner.options.TimeValue;

/** What JMH says of a benchmark of one thread, without running it. */
public final class BenchmarkOfJmh {
  private BenchmarkOfJmh() {}

  /** A benchmark of average times. */
  public static BenchmarkParams of(
      String name,
      int forks,
      IterationParams warmup,
      IterationParams measurement,
      WorkloadParams params) {
    return new BenchmarkParams(
        name,
        name,
        true,
        1,
        new int[] {1},
        List.of(),
        forks,
        0,
        warmup,
        measurement,
        Mode.AverageTime,
        params,
        TimeUnit.MICROSECONDS,
        1,
        "java",
        List.of(),
        "17",
        "vm",
        "17",
        "1.37",
        TimeValue.minutes(1));
  }
}
