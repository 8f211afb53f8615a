// SPDX-License-Identifier: Apache-2.0
package org.mitosis.cluster;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Path;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.mitosis.setting.MissingPrerequisite;

class MachineLockTest {
  @TempDir Path directory;

  @Test
  void isFreeBeforeAndAfter() {
    assertEquals("", MachineLock.owner(directory));
    MachineLock.take(directory, "me", false).close();
    assertEquals("", MachineLock.owner(directory));
    MachineLock.take(directory, "me again", false).close();
  }

  @Test
  void namesTheProcessThatHoldsIt() throws Exception {
    Process other = holder("alice@lab, micro-c-prepare");
    try {
      assertTrue(MachineLock.owner(directory).startsWith("alice@lab, micro-c-prepare, process "));
      MissingPrerequisite refused =
          assertThrows(MissingPrerequisite.class, () -> MachineLock.take(directory, "me", false));
      assertTrue(
          refused.getMessage().startsWith("is in use by alice@lab, micro-c-prepare, process "),
          refused.getMessage());
    } finally {
      other.destroyForcibly().waitFor(10, TimeUnit.SECONDS);
    }
    MachineLock.take(directory, "me", false).close();
  }

  /** Another JVM that takes it, and is there when it has. */
  private Process holder(String owner) throws IOException {
    Process process =
        new ProcessBuilder(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "-cp",
                System.getProperty("java.class.path"),
                Holder.class.getName(),
                directory.toString(),
                owner)
            .redirectError(ProcessBuilder.Redirect.INHERIT)
            .start();
    assertEquals('\n', process.getInputStream().read());
    return process;
  }

  /** Takes the lock, says so and waits to be killed. */
  static final class Holder {
    private Holder() {}

    public static void main(String[] args) throws IOException {
      MachineLock.take(Path.of(args[0]), args[1], false);
      System.out.print("\n");
      System.out.flush();
      while (System.in.read() >= 0) {
        // Until this process is killed.
      }
    }
  }
}
