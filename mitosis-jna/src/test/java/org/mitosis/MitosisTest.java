// SPDX-License-Identifier: Apache-2.0
package org.mitosis;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.TempDir;

/** Which backend is chosen, and what is said of it. */
@ExtendWith(DaemonOfTheTests.class)
class MitosisTest {
  @TempDir private Path folder;

  @Test
  void bothBackendsAreFound() {
    assertEquals(
        List.of(Backend.KERNEL, Backend.USER),
        Mitosis.availabilities().stream().map(Availability::backend).toList());
  }

  @Test
  void withoutADeviceTheUserBackendIsChosenAndTheReasonKept() throws Exception {
    Path device = folder.resolve("no-device");
    List<String> lines = choose("-Dmitosis.device=" + device);
    assertEquals("user", lines.get(0), lines::toString);
    assertTrue(
        lines.get(1).startsWith("no kernel backend: " + device + " is not there"), lines::toString);
    assertEquals("opened user", lines.get(2));
  }

  @Test
  void forcedBackendIsTaken() throws Exception {
    List<String> lines = choose("-Dmitosis.backend=USER");
    assertEquals(List.of("user", "forced by -Dmitosis.backend", "opened user"), lines);
  }

  @Test
  void forcedBackendThatIsMissingIsAnErrorAndNotTheOtherOne() throws Exception {
    Path device = folder.resolve("no-device");
    List<String> lines = choose("-Dmitosis.device=" + device, "-Dmitosis.backend=kernel");
    assertEquals(
        List.of(
            "MitosisException: open failed: backend 'kernel' is forced by -Dmitosis.backend but "
                + device
                + " is not there: the kernel module is not loaded (ENODEV);"
                + " load the mitosis kernel module, or use the user backend"),
        lines);
  }

  @Test
  void unknownBackendIsAnError() throws Exception {
    assertEquals(
        List.of(
            "IllegalArgumentException: -Dmitosis.backend: 'cloud' is not a backend:"
                + " choose 'kernel' or 'user'"),
        choose("-Dmitosis.backend=cloud"));
  }

  @Test
  void backendNamesAreReadInAnyCase() {
    assertEquals(Backend.KERNEL, Backend.parse("Kernel"));
    assertThrows(IllegalArgumentException.class, () -> Backend.parse(""));
  }

  private static List<String> choose(String... options) throws Exception {
    List<String> all = new ArrayList<>(List.of(options));
    all.add("-Dmitosis.native.dir=" + System.getProperty("mitosis.native.dir", ""));
    return ChildJvm.start(Choose.class, all, Map.of()).lines();
  }

  /** Prints the choice, the reason and what opening gives; or the exception. */
  static final class Choose {
    public static void main(String[] arguments) {
      try {
        BackendChoice choice = Mitosis.choose();
        System.out.println(choice.backend());
        System.out.println(choice.reason());
        try (Device device = Mitosis.open()) {
          System.out.println("opened " + device.backend());
        }
      } catch (MitosisException | IllegalArgumentException e) {
        System.out.println(e.getClass().getSimpleName() + ": " + e.getMessage());
      }
    }
  }
}
