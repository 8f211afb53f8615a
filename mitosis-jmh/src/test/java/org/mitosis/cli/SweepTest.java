// SPDX-License-Identifier: Apache-2.0
package org.mitosis.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.Set;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.openjdk.jmh.runner.options.CommandLineOptions;
import org.openjdk.jmh.runner.options.Options;

class SweepTest {
  @ParameterizedTest
  @ValueSource(
      strings = {
        "NilCall",
        "ForkPrepare.workingSet|NilCall.c -p memorySize=1m,4m",
        "PrepareOverFork ForkPrepare -p memorySize=4096,8192 -p functionName=json -bm ss,avgt",
        "Baseline -e Criu -e coldStart -p memorySize=1m",
      })
  void aBlockRunsItsBenchmarkAndNoOther(String line) throws Exception {
    CommandLineOptions options = new CommandLineOptions(line.split(" "));
    Set<Selection.Item> items = Selection.of(options).items(options);
    for (Selection.Item item : items) {
      Options block = Sweep.only(item, options);
      assertEquals(Set.of(item), Selection.of(block).items(block));
    }
    assertTrue(items.size() > 1, "several: " + items);
  }
}
