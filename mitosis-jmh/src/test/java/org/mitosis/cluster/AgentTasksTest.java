// SPDX-License-Identifier: Apache-2.0
package org.mitosis.cluster;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import com.fasterxml.jackson.databind.JsonNode;
import java.io.IOException;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;
import org.mitosis.Availability;
import org.mitosis.Mitosis;
import org.mitosis.fixture.ContainerKind;
import org.mitosis.fixture.LinkTraffic;
import org.mitosis.fixture.Machine;
import org.mitosis.fixture.Placement;
import org.mitosis.fixture.ReplicaFill;
import org.mitosis.fixture.ResumeMode;
import org.mitosis.fixture.UserfaultfdRequirement;
import org.mitosis.fixture.Verify;
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

  @Test
  void aBurstHasItsChildrenAndCountsTheLink() throws IOException {
    UserfaultfdRequirement.assumeUserfaultfd();
    List<Task.Reply> replies = new CopyOnWriteArrayList<>();
    byte[] key = new byte[Machine.KEY_BYTES];
    try (AgentTasks parent = new AgentTasks(replies::add);
        AgentTasks child = new AgentTasks(replies::add)) {
      String address = (String) parent.carryOut(startMachine(1, key));
      child.carryOut(startMachine(2, key));
      Task.ParentSpec spec = new Task.ParentSpec("1048576", "", 100, true);
      parent.carryOut(new Task.StartParent(spec));
      parent.carryOut(new Task.TakeSnapshot(false));
      parent.carryOut(new Task.CountLink());
      child.carryOut(series(address, ResumeMode.REPLICA, Map.of(), spec));
      long startNs = System.nanoTime();
      child.carryOut(new Task.Run(startNs));
      Number bytes = (Number) parent.carryOut(new Task.LinkBytes());
      long endNs = System.nanoTime();
      List<Long> untilNs =
          replies.stream()
              .flatMap(reply -> reply.samples().ns().get("untilResult").stream())
              .toList();
      assertEquals(3, untilNs.size());
      for (long ns : untilNs) {
        assertTrue(ns > 0 && ns < endNs - startNs, untilNs::toString);
      }
      assumeTrue(LinkTraffic.obstacle().isEmpty(), LinkTraffic::obstacle);
      assertTrue(bytes.longValue() >= 1 << 20, bytes::toString);
    }
  }

  @Test
  void launchersAreToldOtherPathsOfFiles() throws IOException {
    UserfaultfdRequirement.assumeUserfaultfd();
    byte[] key = new byte[Machine.KEY_BYTES];
    try (AgentTasks parent = new AgentTasks(reply -> {});
        AgentTasks child = new AgentTasks(reply -> {})) {
      String address = (String) parent.carryOut(startMachine(1, key));
      child.carryOut(startMachine(2, key));
      Task.ParentSpec spec = new Task.ParentSpec("1048576", "", 100, true);
      parent.carryOut(new Task.StartParent(spec));
      parent.carryOut(new Task.TakeSnapshot(false));
      child.carryOut(series(address, ResumeMode.LAZY, Map.of("/srv/data", "/mnt/data"), spec));
      assertEquals(2, launchersWith("--map /srv/data.?/mnt/data"));
    }
  }

  /** Two loops, with three children in all. */
  private static Task series(
      String address, ResumeMode mode, Map<String, String> filesMap, Task.ParentSpec spec) {
    return new Task.Ready(
        Task.LoopKind.SERIES,
        2,
        1,
        3,
        ContainerKind.NONE,
        1,
        address,
        "",
        mode,
        64,
        filesMap,
        Placement.FREE,
        spec);
  }

  /** A launcher replaces '=' in its arguments. */
  private static long launchersWith(String arguments) {
    Pattern wanted = Pattern.compile("mitosis-launcher .*" + arguments);
    return ProcessHandle.current()
        .descendants()
        .filter(process -> wanted.matcher(process.info().commandLine().orElse("")).find())
        .count();
  }

  private static Task startMachine(int id, byte[] key) {
    return new Task.StartMachine(id, key, "127.0.0.1:0", false, ReplicaFill.ALL, Verify.OFF, "");
  }

  private static JsonNode describe(AgentTasks tasks, String outcome) throws IOException {
    return (JsonNode) tasks.carryOut(new Task.Describe(List.of("micro-c-prepare"), outcome));
  }
}
