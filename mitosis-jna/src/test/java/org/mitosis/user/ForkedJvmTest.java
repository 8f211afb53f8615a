// SPDX-License-Identifier: Apache-2.0
package org.mitosis.user;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeFalse;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import com.sun.management.HotSpotDiagnosticMXBean;
import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.mitosis.ChildJvm;
import org.mitosis.NativeModule;

/**
 * A whole JVM, with its threads and open files, goes on in its children: on its own machine and,
 * over TCP, on two others at once. The machines are this host's, with a daemon each. All modes for
 * each collector are in {@link ForkedJvmTrial}.
 */
@Timeout(120)
class ForkedJvmTest {
  private static final String HANDLER_ID = "4242";
  private static final Pattern RIGHT =
      Pattern.compile("(\\S+) drew (\\S+) (\\S+) (\\S+) (\\S+) (\\S+) shutdown hook");

  @TempDir private Path folder;
  private ParentsMachine machine;

  @BeforeEach
  void startTheMachine() throws IOException {
    machine = new ParentsMachine(folder);
  }

  @AfterEach
  void endTheMachines() throws IOException, InterruptedException {
    machine.end();
  }

  @ParameterizedTest
  @CsvSource({
    "G1, quiet, clone, eager, replica",
    "Serial, crac, eager, cached, lazy",
    "Parallel, now, cached, lazy, eager",
    "Shenandoah, now, clone, replica, lazy"
  })
  void goesOnInItsChildren(String collector, String when, String here, String tcp, String third)
      throws Exception {
    assumeTrue(hasCollector(collector), () -> "needs a JDK with the collector " + collector);
    List<String> lines =
        ChildJvm.start(
                ForkedJvm.class,
                List.of(
                    "-Xmx64m",
                    "-XX:+PerfDisableSharedMem",
                    "-XX:+Use" + collector + "GC",
                    "-Dorg.crac.Core.Compat=org.mitosis.crac",
                    "-Dmitosis.crac.handlerId=" + HANDLER_ID,
                    "-Dmitosis.backend=user"),
                machine.environment(),
                NativeModule.built("linux-x86-64/mitosis-child").toString(),
                HANDLER_ID,
                machine.file().toString(),
                machine.other(),
                when,
                "first:--mode lazy",
                "here:--mode " + here,
                "tcp:--mode " + tcp + " " + machine.remote(),
                "third:--mode " + third + " " + machine.remote())
            .lines();
    assumeFalse(
        lines.stream()
            .anyMatch(
                line ->
                    line.contains("needs a PID namespace")
                        || line.contains("need root or CAP_SYS_PTRACE")),
        () -> "needs root, for userfaultfd and a PID namespace: " + lines);
    List<String> names = new ArrayList<>();
    Set<String> drawn = new HashSet<>();
    Set<String> shared = new HashSet<>();
    for (String line : lines) {
      Matcher right = RIGHT.matcher(line);
      assertTrue(right.matches(), () -> String.join("\n", lines));
      names.add(right.group(1));
      for (int i = 2; i <= 5; i++) {
        assertTrue(drawn.add(right.group(i)), () -> "drawn by two children: " + lines);
      }
      shared.add(right.group(6));
    }
    assertEquals(List.of("first", "here", "tcp", "third"), names);
    // As docs/jvm.md says: java.util.Random goes on alike in all.
    assertEquals(1, shared.size(), () -> "java.util.Random: " + lines);
  }

  /** Whether the JDK of the tests has it. */
  static boolean hasCollector(String collector) {
    try {
      ManagementFactory.getPlatformMXBean(HotSpotDiagnosticMXBean.class)
          .getVMOption("Use" + collector + "GC");
      return true;
    } catch (IllegalArgumentException e) {
      return false;
    }
  }
}
