// SPDX-License-Identifier: Apache-2.0
package org.mitosis.cluster;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import com.fasterxml.jackson.databind.JsonNode;
import java.io.IOException;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.mitosis.Availability;
import org.mitosis.Mitosis;
import org.mitosis.result.Environment;

class AgentTasksTest {
  @Test
  void aMachineIsDescribedWithTheToolsOfItsRun() throws IOException {
    assumeTrue(
        Mitosis.availabilities().stream().anyMatch(Availability::available),
        "SKIP tools: needs a backend");
    try (AgentTasks tasks = new AgentTasks(reply -> {})) {
      JsonNode begun = describe(tasks, "");
      assertTrue(begun.at("/tools/libc").asText().matches("glibc [0-9.]+"), begun.toString());
      assertTrue(begun.at("/tools/compiler").isTextual(), begun.toString());
      assertEquals(Environment.NO_CPU_PLAN, begun.get("cpuPlan").asText());
      JsonNode ended = describe(tasks, "complete");
      assertEquals("complete", ended.get("outcome").asText());
      assertEquals(begun.get("tools"), ended.get("tools"));
    }
  }

  private static JsonNode describe(AgentTasks tasks, String outcome) throws IOException {
    return (JsonNode) tasks.carryOut(new Task.Describe(List.of("micro-c-prepare"), outcome));
  }
}
