// SPDX-License-Identifier: Apache-2.0
package org.mitosis.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** A run that is ended from outside leaves its samples and nothing that lives. */
class InterruptionIT {
  private static final long CLEAN_UP_MS = 5_000;

  @TempDir Path directory;
  private BenchmarksJar jar;

  @BeforeEach
  void jar() throws IOException {
    jar = new BenchmarksJar(directory);
    jar.requireUserBackend();
  }

  @ParameterizedTest
  @CsvSource({
    "INT, 2, 1, process, ''",
    "TERM, 15, 1, process, sweep",
    "INT, 2, 0, process, ''",
    "INT, 2, 1, group, ''", // what Ctrl-C in a terminal is
  })
  void leavesNoProcessSocketOrShadow(
      String signal, int number, int forks, String target, String command) throws Exception {
    // A shell starts background commands with SIGINT ignored.
    assumeTrue(
        succeeds("setsid", "env", "--default-signal=INT", "true"),
        "needs setsid (util-linux) and env --default-signal (coreutils 8.31)");
    jar.startedBy("setsid", "env", "--default-signal=INT");
    List<String> args = new ArrayList<>(List.of("ForkPrepare.workingSet", "NilCall.c"));
    if (!command.isEmpty()) {
      args = new ArrayList<>(List.of(command, "ForkPrepare.workingSet")); // in random order
    }
    args.addAll(List.of("-p", "memorySize=16m", "-wi", "0", "-i", "1000", "-r", "100ms"));
    args.addAll(List.of("-f", Integer.toString(forks)));
    BenchmarksJar.Running run = jar.start(args);
    BenchmarksJar.await(
        60_000,
        "an iteration has been measured",
        () -> output(run).contains("prepare: ") || !run.process().isAlive());
    assertTrue(
        jar.processes().stream().anyMatch(process -> process.contains("mitosis-parent")),
        () -> jar.processes() + output(run));

    // setsid and env execute java in their own process, which leads its group.
    String id = (target.equals("group") ? "-" : "") + run.process().pid();
    // The shell's own kill: a bare Debian has no other.
    assertTrue(succeeds("sh", "-c", "kill -s " + signal + " -- " + id));
    BenchmarksJar.Outcome outcome = run.outcome();

    assertEquals(128 + number, outcome.exitCode(), outcome.err());
    BenchmarksJar.await(
        CLEAN_UP_MS, "every process has gone: " + jar.processes(), () -> jar.processes().isEmpty());
    BenchmarksJar.await(CLEAN_UP_MS, "every socket has gone", () -> sockets().isEmpty());
    Path folder = jar.resultFolders().get(0);
    assertTrue(outcome.err().contains("interrupted: "), outcome.err());
    assertTrue(outcome.err().contains(folder.toString()), outcome.err());
    assertEquals(
        command.equals("sweep"),
        outcome.err().contains("continue it with 'sweep --resume " + folder + "'"),
        outcome.err());
    assertEquals(
        "interrupted",
        new ObjectMapper()
            .readTree(folder.resolve("environment.json").toFile())
            .get("outcome")
            .asText());
    // A sweep repeats the block that was not finished.
    assertTrue(
        command.equals("sweep")
            || Files.size(
                    folder.resolve("hlog/ForkPrepare.workingSet,memorySize=16777216,fork=1.hlog"))
                > 0);
    assertEquals(
        1,
        outcome.out().lines().filter(line -> line.startsWith("# Benchmark: ")).count(),
        "no other benchmark is started: " + outcome.out());
  }

  private static boolean succeeds(String... command) throws IOException, InterruptedException {
    Process process =
        new ProcessBuilder(command)
            .redirectErrorStream(true)
            .redirectOutput(ProcessBuilder.Redirect.DISCARD)
            .start();
    return process.waitFor(10, TimeUnit.SECONDS) && process.exitValue() == 0;
  }

  private static String output(BenchmarksJar.Running run) {
    try {
      return run.out();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private List<Path> sockets() {
    if (Files.notExists(jar.runtimeDirectory())) {
      return List.of();
    }
    try (Stream<Path> files = Files.list(jar.runtimeDirectory())) {
      return files.filter(file -> file.toString().endsWith(".sock")).toList();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}
