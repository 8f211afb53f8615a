// SPDX-License-Identifier: Apache-2.0
package org.mitosis.kernel;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.mitosis.Availability;
import org.mitosis.ChildJvm;
import org.mitosis.NativeModule;
import org.mitosis.user.ForkedJvm;

/**
 * A whole JVM goes on in its children by the kernel module: of a snapshot of this machine and,
 * where {@code MITOSIS_TEST_MODULE_ADDRESS} says that the module listens, over TCP.
 */
@Timeout(280)
class ForkedByModuleTest {
  private static final long DEADLINE_S = 270;
  private static final Pattern RIGHT =
      Pattern.compile("(\\S+) drew \\S+ ([0-9]+)/([0-9]+) (\\S+) \\S+ \\S+ shutdown hook");

  @TempDir private Path folder;

  @Test
  void goesOnInItsChildren() throws Exception {
    Availability availability = new KernelBackend().availability();
    assumeTrue(
        availability.available(), () -> "needs the mitosis kernel module: " + availability.cause());
    String machineId =
        Files.readString(Path.of("/sys/module/mitosis/parameters/machine_id")).strip();
    String address = System.getenv("MITOSIS_TEST_MODULE_ADDRESS");
    List<String> arguments =
        new ArrayList<>(
            List.of(
                NativeModule.built("linux-x86-64/mitosis-child").toString(),
                "4243",
                mapped().toString(),
                folder.toString(),
                "now",
                "local:--backend kernel",
                "eager:--backend kernel --mode eager"));
    if (address != null) {
      arguments.add("tcp:--backend kernel --remote " + machineId + " --address " + address);
    }
    List<String> lines =
        ChildJvm.start(
                ForkedJvm.class,
                List.of(
                    "-Xmx64m",
                    "-XX:+UseSerialGC",
                    "-XX:TieredStopAtLevel=1",
                    "-XX:-UsePerfData",
                    "-Dmitosis.native.dir=" + System.getProperty("mitosis.native.dir", ""),
                    "-Dmitosis.backend=kernel"),
                Map.of(),
                arguments.toArray(String[]::new))
            .lines(DEADLINE_S);

    List<String> names = new ArrayList<>();
    Set<String> drawn = new HashSet<>();
    for (String line : lines) {
      Matcher right = RIGHT.matcher(line);
      assertTrue(right.matches(), () -> String.join("\n", lines));
      names.add(right.group(1));
      assertEquals(machineId, right.group(2), line);
      assertTrue(drawn.add(right.group(3)), () -> "a number of two children: " + lines);
      assertTrue(drawn.add(right.group(4)), () -> "drawn by two children: " + lines);
    }
    assertEquals(
        address == null ? List.of("local", "eager") : List.of("local", "eager", "tcp"), names);
  }

  /** Two pages, from m to z. */
  private Path mapped() throws Exception {
    byte[] content = new byte[8192];
    content[0] = 'm';
    content[content.length - 1] = 'z';
    return Files.write(folder.resolve("mapped"), content);
  }
}
