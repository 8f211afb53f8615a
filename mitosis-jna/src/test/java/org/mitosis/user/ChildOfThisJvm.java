// SPDX-License-Identifier: Apache-2.0
package org.mitosis.user;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;

/** A child that a parent in the tests starts of itself, by mitosis-child. */
final class ChildOfThisJvm {
  /** What a child that is right exits with. */
  static final int RIGHT = 42;

  private static final String DEADLINE_S = "100";

  private ChildOfThisJvm() {}

  /**
   * Starts one and waits for its end.
   *
   * @param command mitosis-child with its options; with {@code --remote} it is of another machine
   * @param other the runtime directory of that one
   * @param otherId the id of that one
   * @return what it said in one line, after its exit code if that is not {@link #RIGHT}
   */
  static String run(List<String> command, String other, int otherId)
      throws IOException, InterruptedException {
    List<String> withDeadline = new ArrayList<>(List.of("timeout", "-k", "5", DEADLINE_S));
    withDeadline.addAll(command);
    ProcessBuilder builder = new ProcessBuilder(withDeadline).redirectErrorStream(true);
    if (command.contains("--remote")) {
      builder.environment().put("MITOSIS_RUNTIME_DIR", other);
      builder.environment().put("MITOSIS_MACHINE_ID", Integer.toString(otherId));
    }
    Process process = builder.start();
    process.getOutputStream().close();
    String said =
        new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8)
            .strip()
            .replace('\n', ' ');
    return process.waitFor() == RIGHT ? said : "exit code " + process.exitValue() + ": " + said;
  }
}
