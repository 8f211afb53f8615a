// SPDX-License-Identifier: Apache-2.0
package org.mitosis.cluster;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.nio.file.FileSystem;
import java.nio.file.FileSystems;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.mitosis.OneJdk;

/**
 * Runs on one parent and three child machines, each a network namespace with a real sshd: every
 * target, and what can go wrong.
 */
@Timeout(value = 200, unit = TimeUnit.SECONDS)
@OneJdk
class ClusterIT {
  private static final String[] SMALL = {
    "MEMORY_SIZES=1m", "FUNCTIONS=helloworld", "TOUCH_RATIOS=50", "LOOPS=1", "SECONDS=2", "TIMES=3"
  };

  /** The same, and each machine gets its pages from the one before. */
  private static final String[] SMALL_TREE =
      Stream.concat(
              Stream.of(SMALL), Stream.of("RESUME_MODE=replica", "FANOUT=tree:1", "VERIFY=on"))
          .toArray(String[]::new);

  /**
   * Long enough for something to happen meanwhile. These machines share the host's CPUs: pinned,
   * all their loops would be on the first one.
   */
  private static final String[] LONG = {
    "MEMORY_SIZES=1m", "LOOPS=1", "SECONDS=60", "PLACEMENT=free"
  };

  /** The lease of the config, and what an agent may then take to end. */
  private static final long ENDED_S = 10 + 10;

  @TempDir static Path work;
  private static NamespaceCluster cluster;

  @BeforeAll
  static void up() throws IOException {
    cluster = NamespaceCluster.up(work, 3);
  }

  @AfterAll
  static void down() throws IOException {
    if (cluster != null) {
      cluster.close();
    }
  }

  @AfterEach
  void endRuns() {
    cluster.endRuns();
    cluster.assertNothingLeft(ENDED_S);
  }

  static Stream<Target> measuringTargets() {
    return Stream.of(Target.values()).filter(target -> target.kind().measures());
  }

  @ParameterizedTest
  @MethodSource("measuringTargets")
  void everyTargetPrintsTheArtifactsTableAndKeepsTheRun(Target target) throws IOException {
    NamespaceCluster.Outcome run =
        cluster.run(target.toString(), target.kind() == Target.Kind.BURST ? SMALL_TREE : SMALL);
    assertEquals(0, run.exitCode(), run.err());
    assertTrue(run.out().contains("  data\n"), run.out());
    String line =
        switch (target.kind()) {
          case PREPARE ->
              target.ofFunctions()
                  ? "(u'@p         ', u'[helloworld-prepare] duration: "
                  : "(u'@p         ', u'Prepare time = ";
          case EXECUTION ->
              target.ofFunctions()
                  ? "(u'@c3        ', u'[helloworld-execution] duration: "
                  : "(u'@c3        ', u'[random cow start] Run time = ";
          case BURST -> "burst, all machines, from the common start\n";
          case LOOPS, EMPTY -> " containers/sec, latency ";
          case NIL_RPC -> " requests/sec, latency ";
          default -> " calls/sec, latency ";
        };
    assertTrue(run.out().contains(line), run.out());
    assertTrue(run.out().contains("cluster." + target + ", "), "statistics: " + run.out());
    assertEquals(target.isPeak(), run.out().contains(", peak (per second"), run.out());
    JsonNode description = cluster.description();
    assertEquals("complete", description.get("outcome").asText());
    if (target.kind() == Target.Kind.BURST) {
      assertEquals("p", description.at("/machines/c1/source").asText());
      assertEquals("c2", description.at("/machines/c3/source").asText());
    }
    List<String> measuring =
        switch (target.kind()) {
          case PREPARE, WORK -> List.of("p");
          default -> List.of("c1", "c2", "c3");
        };
    for (JsonNode point : description.get("points")) {
      for (String host : measuring) {
        assertTrue(point.get("samples").path(host).asLong() > 0, () -> host + " in " + point);
      }
      assertEquals(measuring.size(), point.get("samples").size(), point.toString());
    }
    for (String host : measuring) {
      Path machine = cluster.results().resolve("machines").resolve(host + ".json");
      JsonNode tools = new ObjectMapper().readTree(machine.toFile()).get("tools");
      for (String tool : List.of("libc", "compiler", "python", "pythonPackages", "lean")) {
        assertFalse(tools.path(tool).isNull(), () -> tool + " of " + host + ": " + tools);
      }
    }
  }

  @Test
  void loopsOfAllMachinesStartTogether() throws IOException {
    NamespaceCluster.Outcome run = cluster.run("micro-c-startup", SMALL);
    assertEquals(0, run.exitCode(), run.err());
    for (JsonNode point : cluster.description().get("points")) {
      assertTrue(
          point.get("startSkewNs").asLong() <= NamespaceCluster.MAX_START_SKEW_NS,
          point.toString());
    }
  }

  @Test
  void checkLooksAtEveryMachine() throws IOException {
    NamespaceCluster.Outcome check = cluster.run("check");
    assertEquals(0, check.exitCode(), check.out() + check.err());
    assertTrue(check.out().contains("p (parent, machine 0)"), check.out());
    assertTrue(check.out().contains("c3 (child, machine 3)"), check.out());
    assertTrue(check.out().contains("4 machines are ready"), check.out());
  }

  @Test
  void filterChoosesLines() throws IOException {
    NamespaceCluster.Outcome run =
        cluster.run("micro-c-prepare", "MEMORY_SIZES=1m", "TIMES=3", "FILTER=prepare");
    assertEquals(3, run.out().lines().filter(line -> line.contains("(u'@p")).count(), run.out());
    assertTrue(run.out().startsWith("  trace  data\n-------  ---"), run.out());
    assertTrue(run.out().contains("\n1048576  (u'@p         ', u'Prepare time = "), run.out());
  }

  @Test
  void cleanRemovesWhatWasDeployed() throws IOException {
    assertEquals(0, cluster.run("build-mitosis-prefetch").exitCode());
    Path jar = cluster.directory().resolve("c1/opt/mitosis/benchmarks.jar");
    assertTrue(Files.exists(jar));
    assertTrue(cluster.run("build-mitosis-prefetch").out().contains("c1: benchmarks.jar is there"));
    NamespaceCluster.Outcome clean = cluster.run("clean");
    assertEquals(0, clean.exitCode(), clean.err());
    assertFalse(Files.exists(jar.getParent()), "the whole folder");
    cluster.assertNothingLeft(ENDED_S);
  }

  @Test
  void machineThatIsCutOffInTheMiddleIsNamedAndTheRestIsKept() throws IOException {
    NamespaceCluster.Running run =
        cluster.startRun("peak-c-lean-container", "MEMORY_SIZES=1m,4m", "LOOPS=1", "SECONDS=30");
    cluster.awaitSamples("c1", "c2", "c3");
    cluster.script("link", cluster.directory().toString(), "c2", "down");
    try {
      assertFailureOf("c2", "has sent nothing for 10 s", run.outcome());
      // No message reaches that machine: it ends by itself.
      cluster.assertNothingLeft(ENDED_S);
    } finally {
      cluster.script("link", cluster.directory().toString(), "c2", "up");
    }
    JsonNode points = cluster.description().get("points");
    assertEquals(1, points.size(), "the second point has not been started");
    assertFalse(points.get(0).get("complete").asBoolean());
    long c1 = points.get(0).get("samples").get("c1").asLong();
    assertTrue(c1 > points.get(0).get("samples").get("c2").asLong(), points.toString());
  }

  @Test
  void agentThatIsKilledTakesEverythingWithIt() throws IOException {
    NamespaceCluster.Running run = cluster.startRun("micro-c-startup", LONG);
    cluster.awaitSamples("c1", "c2", "c3");
    String agent =
        cluster
            .script("left", cluster.directory().toString())
            .out()
            .lines()
            .filter(line -> line.startsWith("c1 ") && line.contains(Agent.COMMAND))
            .map(line -> line.split(" ")[1])
            .findFirst()
            .orElseThrow();
    new ProcessBuilder("kill", "-9", agent).start();
    cluster.awaitNothingLeftOn("c1", ENDED_S);
    run.signal("INT");
    run.outcome();
    cluster.assertNothingLeft(ENDED_S);
  }

  @Test
  void interruptionEndsEverythingAndKeepsWhatThereIs() throws IOException {
    NamespaceCluster.Running run = cluster.startRun("micro-c-startup", LONG);
    cluster.awaitSamples("c1", "c2", "c3");
    run.signal("INT");
    NamespaceCluster.Outcome outcome = run.outcome();
    assertEquals(130, outcome.exitCode(), outcome.err());
    cluster.assertNothingLeft(1);
    assertEquals("interrupted", cluster.description().get("outcome").asText());
    assertTrue(Files.readString(cluster.results().resolve("table.txt")).contains("containers/sec"));
  }

  @Test
  void coordinatorThatIsKilledLeavesNothing() throws IOException {
    NamespaceCluster.Running run = cluster.startRun("micro-c-startup", LONG);
    cluster.awaitSamples("c1", "c2", "c3");
    run.signal("KILL");
    run.outcome();
    cluster.assertNothingLeft(ENDED_S);
    assertEquals("running", cluster.description().get("outcome").asText());
  }

  @Test
  void runsOnWithoutItsTerminal() throws IOException {
    NamespaceCluster.Running run =
        cluster.startRun("micro-c-startup", "MEMORY_SIZES=1m", "LOOPS=1", "SECONDS=4");
    cluster.awaitSamples("c1");
    run.signal("HUP");
    NamespaceCluster.Outcome outcome = run.outcome();
    assertEquals(0, outcome.exitCode(), outcome.err());
    assertEquals("complete", cluster.description().get("outcome").asText());
  }

  @Test
  void secondRunIsRefusedAndTheFirstOneNamed() throws IOException {
    NamespaceCluster.Running first = cluster.startRun("micro-c-startup", LONG);
    cluster.awaitSamples("c1", "c2", "c3");
    NamespaceCluster.Outcome second = cluster.run("micro-c-prepare", SMALL);
    assertEquals(1, second.exitCode());
    assertTrue(second.err().contains("p: is in use by "), second.err());
    assertTrue(second.err().contains(", micro-c-startup, since "), second.err());
    NamespaceCluster.Outcome clean = cluster.run("clean");
    assertEquals(1, clean.exitCode(), clean.out());
    NamespaceCluster.Outcome forced = cluster.run("clean", "--force");
    assertEquals(0, forced.exitCode(), forced.err());
    assertEquals(1, first.outcome().exitCode(), "its agents were ended");
    cluster.assertNothingLeft(ENDED_S);
  }

  @Test
  void wrongHostKeyIsNamed() throws IOException {
    Path knownHosts = cluster.directory().resolve("known_hosts");
    String right = Files.readString(knownHosts);
    List<String> lines = right.lines().toList();
    // The key of c2 for the address of c1.
    String wrong = lines.get(1).split(" ")[0] + lines.get(2).substring(lines.get(2).indexOf(' '));
    Files.writeString(knownHosts, right.replace(lines.get(1), wrong));
    try {
      assertFailureOf("c1", "Host key verification failed", cluster.run("micro-c-startup", SMALL));
    } finally {
      Files.writeString(knownHosts, right);
    }
  }

  @Test
  void wrongKeyIsNamed() throws IOException {
    Path keys = cluster.directory().resolve("c2/authorized_keys");
    String right = Files.readString(keys);
    Files.writeString(keys, "");
    try {
      assertFailureOf("c2", "Permission denied", cluster.run("micro-c-startup", SMALL));
    } finally {
      Files.writeString(keys, right);
    }
  }

  @Test
  void fullDiskIsNamed() throws IOException {
    cluster.on("c3", "mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", "/opt");
    try {
      NamespaceCluster.Outcome run = cluster.run("micro-c-startup", SMALL);
      assertFailureOf("c3", "No space left on device", run);
      assertTrue(run.err().contains("choose another PROJECT_PATH"), run.err());
      assertEquals("", cluster.on("c3", "ls", "-A", "/opt/mitosis").out(), "no half of a file");
    } finally {
      cluster.on("c3", "umount", "/opt");
    }
  }

  @Test
  void anotherReleaseOnAMachineIsNamed() throws IOException {
    assertEquals(0, cluster.run("build-mitosis-prefetch").exitCode());
    Path jar = cluster.directory().resolve("c1/opt/mitosis/benchmarks.jar");
    try (FileSystem inside = FileSystems.newFileSystem(jar)) {
      Files.writeString(inside.getPath("built-by-somebody-else"), "");
    }
    NamespaceCluster.Outcome run = cluster.run("micro-c-startup", "DEPLOY=false");
    assertFailureOf("c1", "version mismatch: benchmarks.jar in /opt/mitosis is another one", run);
    assertTrue(run.err().contains("(mitosis "), "its version: " + run.err());
    // Unless forbidden, the right one is put there.
    assertEquals(0, cluster.run("micro-c-startup", SMALL).exitCode());
  }

  @Test
  void machineWithoutJavaIsNamed() throws IOException {
    NamespaceCluster.Outcome run = cluster.run("check", "JAVA=/opt/no/java");
    assertEquals(1, run.exitCode());
    assertTrue(run.err().contains("c1: there is no '/opt/no/java'"), run.err());
  }

  /** The run has failed, says of which machine and why, and leaves no file half written. */
  private static void assertFailureOf(String host, String message, NamespaceCluster.Outcome run)
      throws IOException {
    assertEquals(1, run.exitCode(), run.out() + run.err());
    assertTrue(
        run.err().lines().anyMatch(line -> line.startsWith("mitosis: " + host + ": ")), run.err());
    assertTrue(run.err().contains(message), run.err());
    assertTrue(run.err().contains("the run is marked as failed"), run.err());
    JsonNode description = cluster.description();
    assertEquals("failed", description.get("outcome").asText());
    assertTrue(
        description.get("failures").get(0).asText().startsWith(host + ": "),
        description.toString());
  }
}
