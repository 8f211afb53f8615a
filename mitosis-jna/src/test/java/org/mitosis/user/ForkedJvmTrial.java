// SPDX-License-Identifier: Apache-2.0
package org.mitosis.user;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.mitosis.ChildJvm;
import org.mitosis.NativeModule;

/**
 * Many snapshots of JVMs that allocate all the time. It takes minutes, so that it is no test of the
 * build: scripts/jvm-trial runs it on each JDK and makes the table of docs/jvm.md of its results.
 */
class ForkedJvmTrial {
  /** System property: the file to which results are added, as scripts/jvm-trial reads them. */
  private static final String RESULTS_PROPERTY = "mitosis.trial.results";

  /** System property: how many snapshots of G1 and Serial; of others it is a quarter. */
  private static final String SNAPSHOTS_PROPERTY = "mitosis.trial.snapshots";

  private static final long DEADLINE_S = 1_800;
  private static final String HANDLER_ID = "4242";

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
    "G1, G1, 256m, 0, 1",
    "Serial, Serial, 256m, 0, 1",
    "Parallel, Parallel, 256m, 0, 4",
    "Shenandoah, Shenandoah, 256m, 0, 4",
    "ZGC, Z, 256m, 0, 16",
    "'G1, 1 GiB of which 700 MiB are kept', G1, 1g, 700, 8",
  })
  void childrenAreRight(String row, String collector, String heap, int keptMiB, int share)
      throws Exception {
    Assumptions.assumeTrue(
        ForkedJvmTest.hasCollector(collector), "needs a JDK with the collector " + collector);
    int snapshots = Math.max(8, Integer.getInteger(SNAPSHOTS_PROPERTY, 100) / share);
    List<String> arguments =
        new ArrayList<>(
            List.of(
                NativeModule.built("linux-x86-64/mitosis-child").toString(),
                HANDLER_ID,
                machine.file().toString(),
                machine.other(),
                Integer.toString(snapshots),
                Integer.toString(keptMiB)));
    for (String mode : List.of("lazy", "eager", "cached")) {
      arguments.add(mode + ":--mode " + mode);
      arguments.add("tcp-" + mode + ":--mode " + mode + " " + machine.remote());
    }
    arguments.add("clone:--mode clone");
    arguments.add("tcp-replica:--mode replica " + machine.remote());
    List<String> lines =
        ChildJvm.start(
                AllocatingJvm.class,
                List.of(
                    "-Xmx" + heap,
                    "-Xms" + heap,
                    "-XX:+PerfDisableSharedMem",
                    "-Xlog:disable",
                    "-XX:+Use" + collector + "GC"),
                machine.environment(),
                arguments.toArray(new String[0]))
            .lines(DEADLINE_S);
    assertFalse(lines.isEmpty(), "no result");
    Map<String, int[]> rightAndTried = new LinkedHashMap<>();
    List<String> wrong = new ArrayList<>();
    boolean refused = true;
    for (String line : lines) {
      String[] modeAndSaid = line.split(" ", 2);
      int[] counts = rightAndTried.computeIfAbsent(modeAndSaid[0], mode -> new int[2]);
      counts[1]++;
      if (modeAndSaid[1].equals("right")) {
        counts[0]++;
        refused = false;
      } else {
        wrong.add(line);
        refused &= line.contains("shared memory");
      }
    }
    note(row, rightAndTried, refused);
    if (!refused) {
      assertEquals(List.of(), wrong);
    }
  }

  /** A line for each mode: JDK, row, mode, children that were right, children. */
  private static void note(String row, Map<String, int[]> rightAndTried, boolean refused)
      throws IOException {
    StringBuilder lines = new StringBuilder();
    rightAndTried.forEach(
        (mode, counts) ->
            lines.append(
                String.join(
                        "\t",
                        "" + Runtime.version().feature(),
                        row,
                        mode,
                        refused ? "refused" : "" + counts[0],
                        "" + counts[1])
                    + "\n"));
    String file = System.getProperty(RESULTS_PROPERTY, "");
    if (file.isEmpty()) {
      System.out.print(lines);
    } else {
      Files.writeString(
          Path.of(file),
          lines,
          StandardCharsets.UTF_8,
          StandardOpenOption.CREATE,
          StandardOpenOption.APPEND);
    }
  }
}
