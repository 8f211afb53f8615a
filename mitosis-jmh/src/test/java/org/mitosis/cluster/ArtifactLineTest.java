// SPDX-License-Identifier: Apache-2.0
package org.mitosis.cluster;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;

class ArtifactLineTest {
  /** The lines of the artifact's documentation. */
  @Test
  void printsAsTheArtifactDoes() {
    assertEquals(
        "(u'@val01     ', u'Prepare time = 0.607 ms')",
        ArtifactLine.prepare("val01", 607_000).toString());
    assertEquals(
        "(u'@val01     ', u'[random cow start] Run time = 1240.59 ms; sum: 0')",
        ArtifactLine.work("val01", "cow", 1_240_590_123).toString());
    assertEquals(
        "(u'@val01     ', u'[chameleon-prepare] duration: 1.91 ms')",
        ArtifactLine.function("val01", "chameleon", "prepare", 1_910_400).toString());
  }

  @Test
  void tableHasTheTraceOnceAndNumbersToTheRight() {
    Map<String, List<ArtifactLine>> lines = new LinkedHashMap<>();
    lines.put(
        "1048576",
        List.of(
            ArtifactLine.work("val01", "cold", 1_000_000),
            ArtifactLine.prepare("val01", 607_000),
            ArtifactLine.prepare("val01", 648_000)));
    lines.put("1073741824", List.of(ArtifactLine.prepare("val01", 42_977_000)));
    assertEquals(
        """
             trace  data
        ----------  ---------------------------------------------
           1048576  (u'@val01     ', u'Prepare time = 0.607 ms')
                    (u'@val01     ', u'Prepare time = 0.648 ms')
        1073741824  (u'@val01     ', u'Prepare time = 42.977 ms')
        """,
        ArtifactLine.table(lines, Pattern.compile("PREPARE", Pattern.CASE_INSENSITIVE)));
  }

  @Test
  void filterThatLeavesNothingIsNamed() {
    assertEquals(
        "FILTER 'latency' matches none of 1 lines; see log.txt\n",
        ArtifactLine.table(
            Map.of("1048576", List.of(ArtifactLine.prepare("val01", 1))),
            Pattern.compile("latency")));
  }

  @Test
  void secondEndsWithTheFirstChildThatEndsAfterIt() {
    ArtifactLine.Seconds seconds = new ArtifactLine.Seconds("val02", "containers");
    List<Long> ends = List.of(500_000_000L, 1_250_000_000L, 1_500_000_000L);
    List<Long> times = List.of(500_000_000L, 750_000_000L, 250_000_000L);
    List<ArtifactLine> lines =
        seconds.add(new Task.Samples("abc", 0, 1, ends, Map.of("startup", times)), times);
    assertEquals(
        List.of(
            new ArtifactLine(
                "val02", "[abc] Throughput: 1.600000 containers/sec, latency 625.000000 ms")),
        lines);
  }
}
