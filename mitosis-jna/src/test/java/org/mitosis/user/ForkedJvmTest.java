// SPDX-License-Identifier: Apache-2.0
package org.mitosis.user;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assumptions.assumeFalse;

import java.io.IOException;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.mitosis.ChildJvm;
import org.mitosis.DaemonOfTheTests;
import org.mitosis.NativeModule;

/** A whole JVM, with its threads and open files, goes on in its children. */
@ExtendWith(DaemonOfTheTests.class)
class ForkedJvmTest {
  private static final String HANDLER_ID = "4242";

  @Test
  void goesOnInItsChildren() throws IOException, InterruptedException {
    List<String> lines =
        ChildJvm.start(
                ForkedJvm.class,
                List.of("-Xmx64m", "-XX:-UsePerfData"),
                Map.of(),
                NativeModule.built("linux-x86-64/mitosis-child").toString(),
                HANDLER_ID,
                "lazy",
                "eager")
            .lines();
    assumeFalse(
        lines.stream()
            .anyMatch(
                line ->
                    line.contains("needs a PID namespace")
                        || line.contains("need root or CAP_SYS_PTRACE")),
        () -> "needs root, for userfaultfd and a PID namespace: " + lines);
    assertEquals(List.of("lazy right", "eager right"), lines);
  }
}
