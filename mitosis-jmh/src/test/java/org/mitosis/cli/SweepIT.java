// SPDX-License-Identifier: Apache-2.0
package org.mitosis.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.mitosis.OneJdk;

/** Sweeps that end, that are killed, and that go on. */
@OneJdk
class SweepIT {
  private static final List<String> SIZES = List.of("1m", "2m", "3m", "4m", "5m", "6m");

  @TempDir Path directory;
  private BenchmarksJar jar;

  @BeforeEach
  void jar() throws IOException {
    jar = new BenchmarksJar(directory);
    jar.requireUserBackend();
  }

  @Test
  void blocksAreInTheOrderOfTheSeed() throws IOException {
    BenchmarksJar.Outcome run = jar.run(sweep("--seed", "7"));
    assertEquals(0, run.exitCode(), run.err());
    Path folder = jar.resultFolders().get(0);
    JsonNode sweep = json(folder.resolve("sweep.json"));
    assertEquals(7, sweep.get("seed").asLong());
    List<String> order = sizes(sweep);
    List<String> sorted = order.stream().sorted().toList();
    assertEquals(SIZES.size(), order.size());
    assertNotEquals(sorted, order, "shuffled");
    assertEquals(SIZES.size(), json(folder.resolve("jmh.json")).size());
    assertEquals(SIZES.size(), names(folder.resolve("hlog")).size());
    assertTrue(Files.readString(folder.resolve("table.txt")).contains("1048576"));
    assertEquals("complete", json(folder.resolve("environment.json")).get("outcome").asText());

    jar.property("mitosis.results", directory.resolve("again").toString());
    assertEquals(0, jar.run(sweep("--seed", "7")).exitCode());
    assertEquals(order, sizes(json(directory.resolve("again/sweep.json"))));
  }

  @Test
  void aSweepThatWasKilledGoesOnWithWhatIsNotDone() throws IOException {
    BenchmarksJar.Running running = jar.start(sweep("--seed", "3"));
    Path first = awaitFirstBlock(running);
    List<ProcessHandle> all = new ArrayList<>(running.process().descendants().toList());
    running.process().destroyForcibly();
    all.forEach(ProcessHandle::destroyForcibly);
    BenchmarksJar.await(10_000, "the end of the sweep", () -> !running.process().isAlive());
    Path folder = first.getParent().getParent();
    List<String> order = sizes(json(folder.resolve("sweep.json")));
    byte[] done = Files.readAllBytes(first);
    Object doneAt = Files.getLastModifiedTime(first);
    assertEquals("running", json(folder.resolve("environment.json")).get("outcome").asText());

    BenchmarksJar.Outcome report = jar.run("report", folder.toString());
    assertEquals(1, report.exitCode(), "the run has not ended");
    assertTrue(Files.exists(folder.resolve("report/index.html")), report.err());

    BenchmarksJar.Outcome resumed = jar.run("sweep", "--resume", folder.toString());
    assertEquals(0, resumed.exitCode(), resumed.err());
    assertEquals(order, sizes(json(folder.resolve("sweep.json"))));
    assertEquals(2, json(folder.resolve("sweep.json")).get("sessions").size());
    assertEquals(doneAt, Files.getLastModifiedTime(first), "not done twice");
    assertEquals(done.length, Files.readAllBytes(first).length);
    assertEquals(SIZES.size(), json(folder.resolve("jmh.json")).size());
    List<String> logs = names(folder.resolve("hlog"));
    assertEquals(SIZES.size(), logs.size(), logs::toString);
    assertTrue(logs.stream().allMatch(name -> name.endsWith("fork=1.hlog")), logs::toString);
    assertEquals("complete", json(folder.resolve("environment.json")).get("outcome").asText());
    assertTrue(names(folder.resolve("blocks")).stream().noneMatch(name -> name.endsWith(".hlog")));
  }

  @Test
  void twoEnvironmentsAreNeverMixed() throws IOException {
    BenchmarksJar.Running running = jar.start(sweep("--seed", "3"));
    Path folder = awaitFirstBlock(running).getParent().getParent();
    List<ProcessHandle> all = new ArrayList<>(running.process().descendants().toList());
    running.process().destroyForcibly();
    all.forEach(ProcessHandle::destroyForcibly);
    BenchmarksJar.await(10_000, "the end of the sweep", () -> !running.process().isAlive());
    Path environment = folder.resolve("environment.json");
    String changed =
        Files.readString(environment)
            .replaceFirst(
                "\"version\" : \"" + Runtime.version().feature() + "[^\"]*\"",
                "\"version\" : \"99\"");
    Files.writeString(environment, changed);
    BenchmarksJar.Outcome resumed = jar.run("sweep", "--resume", folder.toString());
    assertEquals(3, resumed.exitCode());
    assertTrue(
        resumed.err().contains("results of two environments are never mixed (Java: 99 / "),
        resumed.err());
    assertEquals(changed, Files.readString(environment), "nothing was touched");
  }

  @Test
  void whatIsNoSweepIsASentence() throws IOException {
    BenchmarksJar.Outcome none = jar.run("sweep", "--resume", directory.toString());
    assertEquals(1, none.exitCode());
    assertTrue(none.err().contains("holds no sweep"), none.err());
    Files.writeString(directory.resolve("sweep.json"), "{\"schema\": 1, \"seed\"");
    assertTrue(jar.run("sweep", "--resume", directory.toString()).err().contains("is damaged"));
    assertTrue(jar.run("sweep", "--seed", "x").err().contains("must be an integer"));
    assertTrue(jar.run("sweep", "--help").out().contains("--resume=DIR"));
  }

  private Path awaitFirstBlock(BenchmarksJar.Running running) {
    BenchmarksJar.await(
        90_000,
        "the first block",
        () -> blocks().findAny().isPresent() || !running.process().isAlive());
    assertTrue(running.process().isAlive(), "it ended before it could be killed");
    return blocks().findFirst().orElseThrow();
  }

  private Stream<Path> blocks() {
    try {
      return jar.resultFolders().stream()
          .map(folder -> folder.resolve("blocks"))
          .filter(Files::isDirectory)
          .flatMap(folder -> names(folder).stream().map(folder::resolve))
          .filter(file -> file.getFileName().toString().matches("[0-9]+\\.json"));
    } catch (IOException e) {
      return Stream.empty();
    }
  }

  private static List<String> sweep(String... options) {
    List<String> args = new ArrayList<>(List.of("sweep"));
    args.addAll(Arrays.asList(options));
    args.addAll(List.of("ForkPrepare.workingSet", "-p", "memorySize=" + String.join(",", SIZES)));
    args.addAll(BenchmarksJar.SHORT);
    return args;
  }

  private static List<String> sizes(JsonNode sweep) {
    List<String> sizes = new ArrayList<>();
    sweep
        .get("blocks")
        .forEach(block -> sizes.add(block.get("parameters").get("memorySize").asText()));
    return sizes;
  }

  private static List<String> names(Path folder) {
    try (Stream<Path> files = Files.list(folder)) {
      return files.map(file -> file.getFileName().toString()).sorted().toList();
    } catch (IOException e) {
      throw new AssertionError(e);
    }
  }

  private static JsonNode json(Path file) throws IOException {
    return new ObjectMapper().readTree(file.toFile());
  }
}
