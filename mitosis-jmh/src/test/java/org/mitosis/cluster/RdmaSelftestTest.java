// SPDX-License-Identifier: Apache-2.0
package org.mitosis.cluster;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.function.Function;
import java.util.zip.ZipFile;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.mitosis.result.MachineProbe;
import org.mitosis.result.RdmaPort;
import org.mitosis.setting.ExitCode;
import org.mitosis.setting.MissingPrerequisite;

/** What rdma-selftest says of what two machines answer; the machines are made up. */
class RdmaSelftestTest {
  private static final Task.RdmaChecked BY_RDMA = new Task.RdmaChecked("", 0, 5000, 3173, 0, 0);

  @TempDir Path folder;
  private final ByteArrayOutputStream said = new ByteArrayOutputStream();
  private String order = "";
  private String address = "";

  @Test
  void allIsRightAndPacked() throws IOException {
    assertEquals(ExitCode.DONE, run(this::answer), this::text);
    assertTrue(text().contains("PASS eager: 3173 pages by RDMA, 0 over TCP, 0 requests"), text());
    assertTrue(text().contains("rdmaRead  256 KiB         7.0 us"), text());
    assertTrue(text().contains("median 5.0 us; the goal at 100 Gb/s is 100 us"), text());
    assertTrue(text().contains("PASS shadow killed"), text());
    try (ZipFile zip = new ZipFile(folder.resolve("run.zip").toFile())) {
      assertEquals(
          List.of("run/machines/child.json", "run/machines/parent.json", "run/rdma-selftest.txt"),
          zip.stream().map(Object::toString).toList());
    }
  }

  @Test
  void wrongBytesAndPagesOverTcpAreFailures() throws IOException {
    assertEquals(
        ExitCode.FAILED,
        run(
            task ->
                task instanceof Task.RdmaGo && order.isEmpty()
                    ? new Task.RdmaChecked("", 3, 5000, 4096, 0, 0)
                    : answer(task)),
        this::text);
    assertTrue(text().contains("FAIL eager: 3 words of memory are wrong"), text());
    said.reset();
    order = "";
    assertEquals(
        ExitCode.FAILED,
        run(
            task ->
                task instanceof Task.RdmaGo
                    ? new Task.RdmaChecked("", 0, 5000, 0, 4096, 0)
                    : answer(task)),
        this::text);
    assertTrue(text().contains("FAIL eager: not all pages came by RDMA"), text());
    assertTrue(text().contains("FAIL porter killed between two pages"), text());
    assertTrue(text().contains("FAIL shadow killed"), text());
    assertTrue(Files.exists(folder.resolve("run.zip")));
  }

  /** On a slow machine a child's first pages come over TCP until RDMA is set up again. */
  @Test
  void aSlowSetUpIsNoFailure() throws IOException {
    String[] before = {""};
    assertEquals(
        ExitCode.DONE,
        run(
            task -> {
              if (task instanceof Task.RdmaOrder given) {
                before[0] = given.order();
              }
              if (task instanceof Task.RdmaGo
                  && order.isEmpty()
                  && before[0].equals("kill-porter")) {
                before[0] = "";
                return new Task.RdmaChecked("", 0, 5000, 1856, 1777, 0);
              }
              return answer(task);
            }),
        this::text);
    assertTrue(
        text().contains("PASS RDMA is set up again: 1856 pages by RDMA, 1777 over TCP"), text());
  }

  @Test
  void withoutADeviceTheCureIsTold() {
    String message = messageWithoutADevice(Map.of());
    assertTrue(message.contains("has no RDMA device"), message);
    assertTrue(message.contains("rdma link add"), message);
  }

  /** The module knows where it listens. */
  @Test
  void theKernelBackendNeedsNoGid() {
    String message = messageWithoutADevice(Map.of("BACKEND", "kernel"));
    assertTrue(message.contains("has no RDMA device"), message);
  }

  private String messageWithoutADevice(Map<String, String> values) {
    assumeTrue(
        RdmaPort.of(new MachineProbe(Path.of("/"))).isEmpty(), "needs a machine without RDMA");
    RdmaSelftest.Request request = new RdmaSelftest.Request(List.of(), values, List.of());
    return assertThrows(
            MissingPrerequisite.class, () -> new RdmaSelftest(out(), out()).run(request))
        .getMessage();
  }

  private PrintStream out() {
    return new PrintStream(said, true, StandardCharsets.UTF_8);
  }

  private String text() {
    return said.toString(StandardCharsets.UTF_8);
  }

  private ExitCode run(Function<Task, Object> machines) throws IOException {
    RdmaSelftest.Side side =
        new RdmaSelftest.Side() {
          @Override
          public <T> T get(Task task, Class<T> type) {
            return type.cast(machines.apply(task));
          }
        };
    Files.deleteIfExists(folder.resolve("run.zip"));
    Path run = folder.resolve("run");
    if (Files.exists(run)) {
      Files.move(run, folder.resolve("earlier"));
    }
    return new RdmaSelftest(out(), out())
        .measure(
            ClusterConfig.of(Map.of()),
            new RdmaSelftest.Request(List.of("a", "b"), Map.of(), List.of()),
            side,
            side,
            run);
  }

  /** As two machines where all is right. */
  private Object answer(Task task) {
    if (task instanceof Task.RdmaMachine start) {
      return new Task.RdmaPlace(start.id(), "rdma://10.0.0.2:7473", "10.0.0.2", "mlx5_0 port 1");
    }
    if (task instanceof Task.RdmaOrder given) {
      order = given.order();
      return "";
    }
    if (task instanceof Task.RdmaChild start) {
      order = "";
      address = start.address();
      return "";
    }
    if (task instanceof Task.RdmaFloorServer) {
      return 7474;
    }
    if (task instanceof Task.RdmaFloorTime) {
      return 7000L;
    }
    if (task instanceof Task.RdmaStranger) {
      return "tcp://10.0.0.2:7473 refuses our key";
    }
    if (task instanceof Task.Describe) {
      return JsonNodeFactory.instance.objectNode();
    }
    if (task instanceof Task.RdmaGo) {
      return switch (order) {
        case "kill-porter", "stop-porter" -> new Task.RdmaChecked("", 0, 5000, 2048, 2048, 1);
        case "kill-shadow" -> new Task.RdmaChecked("it was ended by signal 7", 0, 0, 0, 0, 0);
        default -> address.startsWith("tcp") ? new Task.RdmaChecked("", 0, 9, 0, 4096, 0) : BY_RDMA;
      };
    }
    return "";
  }
}
