// SPDX-License-Identifier: Apache-2.0
package org.mitosis.user;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.mitosis.Availability;
import org.mitosis.ChildJvm;

/** What is said of the user backend where it cannot work. */
class UserBackendTest {
  @Test
  void runtimeDirectoryThatCannotBeUsedIsNamed(@TempDir Path folder) throws Exception {
    Path file = Files.createFile(folder.resolve("file"));
    assertMissing(Map.of("MITOSIS_RUNTIME_DIR", file.toString()), file.toString());
    String tooLong = folder.resolve("x".repeat(120)).toString();
    assertMissing(Map.of("MITOSIS_RUNTIME_DIR", tooLong), "too long");
  }

  @Test
  void missingDaemonIsNamed(@TempDir Path folder) throws Exception {
    Path daemon = folder.resolve("no-such-mitosisd");
    assertMissing(
        Map.of(
            "MITOSIS_DAEMON", daemon.toString(),
            "MITOSIS_RUNTIME_DIR", folder.resolve("run").toString()),
        daemon.toString());
  }

  private static void assertMissing(Map<String, String> environment, String named)
      throws Exception {
    List<String> lines =
        ChildJvm.start(
                Probe.class,
                List.of("-Dmitosis.native.dir=" + System.getProperty("mitosis.native.dir", "")),
                environment)
            .lines();
    assertEquals(3, lines.size(), lines::toString);
    assertEquals("false", lines.get(0));
    assertTrue(lines.get(1).contains(named), lines::toString);
    assertTrue(!lines.get(1).contains(lines.get(2)), () -> "what to do is said once: " + lines);
    assertTrue(!lines.get(2).isBlank(), lines::toString);
  }

  /** Prints what is found of the user backend. */
  static final class Probe {
    public static void main(String[] arguments) {
      Availability availability = new UserBackend().availability();
      System.out.println(availability.available());
      System.out.println(availability.cause());
      System.out.println(availability.remedy());
    }
  }
}
