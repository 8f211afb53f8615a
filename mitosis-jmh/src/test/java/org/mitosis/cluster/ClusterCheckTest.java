// SPDX-License-Identifier: Apache-2.0
package org.mitosis.cluster;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

class ClusterCheckTest {
  private static final String GID = "fe80:0000:0000:0000:ec0d:9a03:00ca:2f4c";
  private static final String OTHER = "0000:0000:0000:0000:0000:ffff:0a07:0001";

  private static Task.Facts withGids(String... gids) {
    return new Task.Facts(
        "", "", "", "", "", true, Map.of(), "", 0, 0, "", Map.of(), "", List.of(gids));
  }

  private static List<String> problems(Task.Facts parent, Task.Facts child) {
    Map<String, Task.Facts> facts = new LinkedHashMap<>();
    facts.put("val01", parent);
    facts.put("val02", child);
    return ClusterCheck.withoutRdma(facts, "val01", GID);
  }

  @Test
  void withAParentGidAllMachinesNeedADevice() {
    assertEquals(List.of(), problems(withGids(OTHER, GID), withGids(OTHER)));
    assertEquals(List.of(), problems(withGids(GID.toUpperCase()), withGids(OTHER)));
    List<String> problems = problems(withGids(), withGids());
    assertEquals(2, problems.size(), problems.toString());
    assertTrue(problems.get(1).startsWith("val02: PARENT_GID "), problems.toString());
    assertTrue(problems.get(1).endsWith("leave PARENT_GID empty for TCP"), problems.toString());
  }

  @Test
  void theParentMachineMustHaveIt() {
    assertEquals(
        List.of("val01: no RDMA port has PARENT_GID " + GID + "; its GIDs are " + OTHER),
        problems(withGids(OTHER), withGids(GID)));
  }

  @Test
  void aGidIsForChildrenOfTheUserBackend() {
    Map<String, Setting> user = Map.of("PARENT_GID", new Setting(GID, "test"));
    assertTrue(ClusterConfig.of(user).overRdma());
    assertFalse(ClusterConfig.of(Map.of()).overRdma());
    Map<String, Setting> kernel = new LinkedHashMap<>(user);
    kernel.put("BACKEND", new Setting("kernel", "test"));
    assertFalse(ClusterConfig.of(kernel).overRdma());
  }
}
