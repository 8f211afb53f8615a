// SPDX-License-Identifier: Apache-2.0
package org.mitosis.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.mitosis.OneJdk;

/** A small duel of a version with itself. */
@OneJdk
class DuelIT {
  private static final int FORKS = 2;
  private static final int CONTROLS = 3;
  private static final int BLOCKS = CONTROLS * FORKS * 2;
  private static final long CLEAN_UP_MS = 5_000;

  /** A fork takes 2 s; a busy machine takes several times as long. */
  private static final long DEADLINE_S = 600;

  private static final String PLAN = "jvm=0/parent=0/daemon=1/children=1";

  private static final List<String> SHORT = List.of("-wi", "0", "-i", "2", "-r", "50ms");

  @TempDir Path directory;
  private BenchmarksJar jar;

  @BeforeEach
  void jar() throws IOException {
    jar = new BenchmarksJar(directory);
    jar.requireUserBackend();
  }

  @Test
  void aDuelThatIsInterruptedKeepsItsForksAndGoesOn() throws Exception {
    // A shell starts background commands with SIGINT ignored.
    assumeTrue(
        succeeds("setsid", "env", "--default-signal=INT", "true"),
        "needs setsid (util-linux) and env --default-signal (coreutils 8.31)");
    jar.startedBy("setsid", "env", "--default-signal=INT");
    List<String> args = new ArrayList<>(List.of("duel", "--seed", "3", "--forks", "" + FORKS));
    args.addAll(List.of(BenchmarksJar.jar(), BenchmarksJar.jar(), "Baseline.spawn"));
    args.addAll(SHORT);
    boolean pinned = Runtime.getRuntime().availableProcessors() > 1;
    if (pinned) {
      args.add("--pin=" + PLAN);
    }
    BenchmarksJar.Running running = jar.start(args);
    BenchmarksJar.await(
        TimeUnit.SECONDS.toMillis(DEADLINE_S),
        "two forks are done, and the third one runs",
        () -> said(running).contains("block 3 of ") || !running.process().isAlive());
    assertTrue(running.process().isAlive(), "it ended before it could be interrupted");
    // What Ctrl-C in a terminal is: a signal for the whole group.
    assertTrue(succeeds("sh", "-c", "kill -s INT -- -" + running.process().pid()));
    BenchmarksJar.Outcome interrupted = running.outcome(DEADLINE_S);
    assertEquals(130, interrupted.exitCode(), interrupted.err());
    assertEquals(1, jar.resultFolders().size());
    Path folder = jar.resultFolders().get(0);
    assertTrue(
        interrupted.err().matches("(?s).*interrupted: [2-9] of " + BLOCKS + " blocks are kept.*"),
        interrupted.err());
    assertTrue(interrupted.err().contains("duel --resume " + folder), interrupted.err());
    assertNothingIsLeft();
    JsonNode begun = json(folder.resolve("duel.json"));
    for (String side : List.of("old", "new")) {
      // The first two forks are of one item, and of both versions.
      assertEquals(
          "interrupted", json(folder.resolve(side + "/environment.json")).get("outcome").asText());
      assertTrue(json(folder.resolve(side + "/jmh.json")).size() >= 1, side);
    }

    BenchmarksJar.Outcome ended =
        jar.start(List.of("duel", "--resume", folder.toString())).outcome(DEADLINE_S);
    assertEquals(0, ended.exitCode(), ended.err());
    assertNothingIsLeft();
    JsonNode record = json(folder.resolve("duel.json"));
    assertEquals(3, record.get("seed").asLong());
    assertEquals(turns(begun), turns(record), "the order is that of the start");
    assertEquals(2, record.get("sessions").size());
    assertTrue(
        record.findValuesAsText("outcome").stream().allMatch("complete"::equals),
        record.toString());
    for (String side : List.of("old", "new")) {
      JsonNode environment = json(folder.resolve(side + "/environment.json"));
      assertEquals("complete", environment.get("outcome").asText());
      assertEquals(pinned ? PLAN : "none", environment.get("cpuPlan").asText(), side);
      JsonNode scores = json(folder.resolve(side + "/jmh.json"));
      assertEquals(CONTROLS, scores.size());
      scores.forEach(score -> assertEquals(FORKS, score.at("/primaryMetric/rawData").size(), side));
      assertEquals(CONTROLS * FORKS, logs(folder.resolve(side)).size());
      assertTrue(ended.err().contains(side + ": load before its forks"), ended.err());
    }
    assertFalse(Files.exists(folder.resolve("jars")), "the copies are deleted");
    assertTrue(ended.err().contains("block " + BLOCKS + " of " + BLOCKS + ", round 2 of 2"));
    assertTrue(ended.out().contains("Baseline.fork, fork"), ended.out());
    assertTrue(ended.out().contains("NilCall.c, nil"), ended.out());
    assertTrue(ended.out().contains(", control"), ended.out());
    assertFalse(ended.out().contains("only in"), ended.out());

    BenchmarksJar.Outcome compared =
        jar.run("compare", folder.resolve("old").toString(), folder.resolve("new").toString());
    assertEquals(ended.out(), compared.out());
  }

  @Test
  void whatMatchesNothingIsSaidBeforeThereIsAFolder() throws IOException {
    BenchmarksJar.Outcome none =
        jar.run("duel", BenchmarksJar.jar(), BenchmarksJar.jar(), "NoSuchBenchmark");
    assertEquals(2, none.exitCode());
    assertTrue(none.err().contains("matches NoSuchBenchmark"), none.err());
    BenchmarksJar.Outcome misspelt =
        jar.run("duel", BenchmarksJar.jar(), BenchmarksJar.jar(), "NilCall", "-p", "threds=1");
    assertEquals(2, misspelt.exitCode());
    assertTrue(misspelt.err().contains("has the parameter threds"), misspelt.err());
    assertEquals(List.of(), jar.resultFolders());
  }

  private void assertNothingIsLeft() {
    for (String side : List.of("old", "new")) {
      Path runtime = jar.runtimeDirectory().resolve(side);
      BenchmarksJar.await(
          CLEAN_UP_MS,
          "every process has gone: " + BenchmarksJar.processes(runtime),
          () -> BenchmarksJar.processes(runtime).isEmpty());
    }
    try (Stream<Path> files = Files.list(directory.resolve("tmp"))) {
      assertEquals(
          List.of(),
          files
              .map(file -> file.getFileName().toString())
              .filter(name -> name.startsWith("mitosis-duel"))
              .toList());
    } catch (IOException e) {
      throw new AssertionError(e);
    }
  }

  private static String said(BenchmarksJar.Running running) {
    try {
      return Files.readString(running.errFile());
    } catch (IOException e) {
      throw new AssertionError(e);
    }
  }

  private static List<Path> logs(Path run) throws IOException {
    try (Stream<Path> files = Files.list(run.resolve("hlog"))) {
      return files.sorted().toList();
    }
  }

  private static List<String> turns(JsonNode record) {
    List<String> turns = new ArrayList<>();
    record.get("blocks").forEach(block -> turns.add(block.get("turn").toString()));
    return turns;
  }

  private static boolean succeeds(String... command) throws IOException, InterruptedException {
    Process process =
        new ProcessBuilder(command)
            .redirectErrorStream(true)
            .redirectOutput(ProcessBuilder.Redirect.DISCARD)
            .start();
    return process.waitFor(10, TimeUnit.SECONDS) && process.exitValue() == 0;
  }

  private static JsonNode json(Path file) throws IOException {
    return new ObjectMapper().readTree(file.toFile());
  }
}
