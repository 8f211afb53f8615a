// SPDX-License-Identifier: Apache-2.0
package org.mitosis.cluster;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.mitosis.OneJdk;

/** Runs in an allocation of a real Slurm, whose machines are network namespaces. */
@Timeout(value = 200, unit = TimeUnit.SECONDS)
@OneJdk
class SlurmIT {
  private static final long ENDED_S = 20;

  @TempDir static Path work;
  private static NamespaceCluster cluster;
  private static int runs;

  @BeforeAll
  static void up() throws IOException {
    cluster = NamespaceCluster.up(work, 2, "--slurm");
    // /tmp, where the tests' own files may be, is another one on each machine.
    Files.copy(Path.of(System.getProperty("benchmarks.jar")), jar());
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

  private static Path jar() {
    return cluster.directory().resolve("benchmarks.jar");
  }

  private static Path results() {
    return cluster.directory().resolve("results" + runs);
  }

  private static NamespaceCluster.Running start(String... arguments) throws IOException {
    runs++;
    List<String> command =
        new ArrayList<>(
            List.of(
                NamespaceCluster.SCRIPT.toString(),
                "on",
                cluster.directory().toString(),
                "p",
                "env",
                "-C",
                "/",
                "SLURM_CONF=" + cluster.directory().resolve("slurm.conf"),
                "salloc",
                "-Q",
                "-N3",
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "-Dmitosis.results=" + results(),
                "-jar",
                jar().toString(),
                "cluster",
                "--launcher",
                "slurm",
                "PROJECT_PATH=/opt/mitosis",
                "MEMORY_SIZES=1m",
                "JAVA=" + Path.of(System.getProperty("java.home"), "bin", "java")));
    command.addAll(List.of(arguments));
    return cluster.start(command);
  }

  private static JsonNode description() throws IOException {
    return new ObjectMapper().readTree(results().resolve("cluster.json").toFile());
  }

  @Test
  void machinesAreThoseOfTheAllocation() throws IOException {
    NamespaceCluster.Outcome run = start("micro-c-startup", "SECONDS=2").outcome();
    assertEquals(0, run.exitCode(), run.err());
    assertEquals("complete", description().get("outcome").asText());
    // Slurm's order: c1 is the parent.
    assertEquals("c1", description().get("parent").asText());
    assertTrue(run.out().contains("(u'@c2        ', u'["), run.out());
    assertTrue(run.out().contains("(u'@p         ', u'["), run.out());
    JsonNode point = description().get("points").get(0);
    assertTrue(
        point.get("startSkewNs").asLong() <= NamespaceCluster.MAX_START_SKEW_NS, point.toString());
    assertEquals(0, start("clean").outcome().exitCode());
  }

  @Test
  void machineThatIsCutOffIsNamed() throws IOException {
    NamespaceCluster.Running run = start("micro-c-startup", "SECONDS=30");
    cluster.awaitSamplesIn(results(), "c2", "p");
    cluster.script("link", cluster.directory().toString(), "c2", "down");
    try {
      NamespaceCluster.Outcome outcome = run.outcome();
      assertTrue(outcome.exitCode() != 0, outcome.out());
      assertTrue(outcome.err().contains("mitosis: c2: "), outcome.err());
      assertEquals("failed", description().get("outcome").asText());
      cluster.assertNothingLeft(ENDED_S);
    } finally {
      cluster.script("link", cluster.directory().toString(), "c2", "up");
    }
  }
}
