// SPDX-License-Identifier: Apache-2.0
package org.mitosis.duel;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.List;
import org.junit.jupiter.api.Test;

class ListingTest {
  private static final String TEXT =
      """
      Benchmarks:\s
      org.mitosis.benchmark.Baseline.spawn
      org.mitosis.benchmark.ForkResume.workingSet
        param "memorySize" = {1m, 2m}
        param "protection" = {sealed}
        param "transport" = {local, tcp}
      """;

  @Test
  void everyCombinationIsAnItem() {
    List<Item> items = Listing.parse(TEXT).items();
    assertEquals(
        List.of(
            "Baseline.spawn",
            "ForkResume.workingSet memorySize=1m protection=sealed transport=local",
            "ForkResume.workingSet memorySize=1m protection=sealed transport=tcp",
            "ForkResume.workingSet memorySize=2m protection=sealed transport=local",
            "ForkResume.workingSet memorySize=2m protection=sealed transport=tcp"),
        items.stream().map(Item::toString).toList());
  }

  @Test
  void otherLinesAreSkipped() {
    assertEquals(
        List.of(), Listing.parse("Picked up JAVA_TOOL_OPTIONS: -Dx\nBenchmarks: \n").items());
  }

  @Test
  void anItemIsNamedAsResultsNameIt() {
    Item item =
        Listing.parse(TEXT.replace("    param \"protection\" = {sealed}\n", "")).items().get(1);
    assertTrue(item.completed().toString().contains("memorySize=1048576 "), item.toString());
  }

  @Test
  void whatOneVersionLacksIsLeftOutAndSaid() {
    Listing old =
        Listing.parse(
            """
            org.mitosis.benchmark.ForkResume.workingSet
              param "memorySize" = {1m, 2m}
              param "transport" = {tcp}
            org.mitosis.benchmark.Gone.one
            """);
    Listing now =
        Listing.parse(
            """
            org.mitosis.benchmark.ForkResume.workingSet
              param "memorySize" = {2m, 4m, 8m}
              param "protection" = {handshake}
              param "transport" = {tcp}
            """);
    Pairs pairs = Pairs.of(old.items(), now.items());
    // The old version has no parameter for the only protection that it knows.
    assertEquals(1, pairs.old().size());
    assertEquals(pairs.old().keySet(), pairs.now().keySet());
    Item common = pairs.old().firstKey();
    assertEquals(
        "ForkResume.workingSet memorySize=2m transport=tcp", pairs.old().get(common).toString());
    assertEquals(
        "ForkResume.workingSet memorySize=2m protection=handshake transport=tcp",
        pairs.now().get(common).toString());
    assertEquals(
        List.of(
            "only the old version has ForkResume.workingSet memorySize=1048576"
                + " protection=handshake transport=tcp",
            "only the old version has Gone.one",
            "only the new version has ForkResume.workingSet memorySize=4194304"
                + " protection=handshake transport=tcp, and 1 more of it"),
        pairs.leftOut());
  }
}
