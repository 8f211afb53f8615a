// SPDX-License-Identifier: Apache-2.0
package org.mitosis.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.util.List;
import org.junit.jupiter.api.Test;
import org.mitosis.fixture.ChildLauncher;

/** The time line that is shown. JvmBenchmarksTest has the starts. */
class DemoCommandTest {
  @Test
  void allLinesHaveTheScaleOfTheLongest() {
    ChildLauncher.Times child = new ChildLauncher.Times(0, 10_000_000, 0, 25_000_000);
    assertEquals(
        "child 1      "
            + "-".repeat(5)
            + "=".repeat(8)
            + " ".repeat(37)
            + "  result at 25.0 ms, first instruction at 10.0 ms\n"
            + "fresh JVM 1  "
            + "=".repeat(50)
            + "  result at 100.0 ms\n",
        DemoCommand.timeline(List.of(child), new long[] {100_000_000}));
  }
}
