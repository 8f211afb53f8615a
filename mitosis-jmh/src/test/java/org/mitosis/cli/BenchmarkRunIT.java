// SPDX-License-Identifier: Apache-2.0
package org.mitosis.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.mitosis.setting.ExitCode;

/** Runs of benchmarks.jar: what they keep, and how they end when something is wrong. */
class BenchmarkRunIT {
  private static final String BENCHMARK = "ForkPrepare.workingSet";

  @TempDir Path directory;
  private BenchmarksJar jar;

  @BeforeEach
  void jar() throws IOException {
    jar = new BenchmarksJar(directory);
    jar.requireUserBackend();
  }

  @Test
  void aRunKeepsEverythingInItsFolder() throws IOException {
    BenchmarksJar.Outcome run =
        jar.run(args(BENCHMARK, "-p", "memorySize=1m,4m", "-rf", "json", "-rff", "own.json"));
    assertEquals(0, run.exitCode(), run.err());

    assertEquals(1, jar.resultFolders().size());
    Path folder = jar.resultFolders().get(0);
    String name = folder.getFileName().toString();
    assertTrue(name.matches("\\d{4}-\\d\\d-\\d\\dT\\d{6}Z-.+-ForkPrepare.workingSet"), name);
    assertEquals(
        List.of("environment.json", "hlog", "jmh.json", "log.txt", "table.txt"), names(folder));
    assertEquals(
        List.of(
            "ForkPrepare.workingSet,memorySize=1048576,fork=1.hlog",
            "ForkPrepare.workingSet,memorySize=4194304,fork=1.hlog"),
        names(folder.resolve("hlog")));

    String table = Files.readString(folder.resolve("table.txt"));
    assertTrue(run.out().endsWith(table), run.out());
    assertTrue(table.contains("\n  trace"), table);
    assertTrue(table.contains("\n1048576"), table);
    assertTrue(table.contains("  0.648"), "published: " + table);

    JsonNode environment = json(folder.resolve("environment.json"));
    assertEquals("complete", environment.get("outcome").asText());
    assertEquals("user", environment.get("backend").get("chosen").asText());
    assertEquals("Linux", environment.get("machine").get("kernel").get("name").asText());

    assertTrue(run.out().contains("Benchmark result is saved to own.json"), run.out());
    assertEquals(
        json(jar.workingDirectory().resolve("own.json")), json(folder.resolve("jmh.json")));
  }

  @Test
  void theResultsGoExactlyWhereTheyAreWanted() throws IOException {
    Path wanted = directory.resolve("wanted");
    jar.property("mitosis.results", wanted.toString());
    assertEquals(0, jar.run(args(BENCHMARK, "-p", "memorySize=1m")).exitCode());
    assertEquals(
        List.of("environment.json", "hlog", "jmh.json", "log.txt", "table.txt"), names(wanted));
    assertEquals(List.of(), jar.resultFolders());

    BenchmarksJar.Outcome again = jar.run(args(BENCHMARK, "-p", "memorySize=1m"));
    assertRefused(ExitCode.FAILED, again, wanted + " is not empty");
    assertEquals(
        List.of("environment.json", "hlog", "jmh.json", "log.txt", "table.txt"), names(wanted));
  }

  @Test
  void jmhsOwnMainHasTheSelfTimedMetricWithErrorAndRawData() throws IOException {
    List<String> args = new ArrayList<>(List.of(BENCHMARK, "-p", "memorySize=1m"));
    args.addAll(List.of("-f", "1", "-wi", "0", "-i", "3", "-r", "50ms"));
    args.addAll(List.of("-prof", "org.mitosis.result.SelfTimedProfiler"));
    args.addAll(List.of("-rf", "json", "-rff", "own.json"));
    BenchmarksJar.Outcome run = jar.runJmh(args);
    assertEquals(0, run.exitCode(), run.err());
    JsonNode prepare = prepare(json(jar.workingDirectory().resolve("own.json")).get(0));
    assertTrue(prepare.get("score").asDouble() > 0, prepare.toString());
    assertTrue(prepare.get("scoreError").asDouble() > 0, prepare.toString());
    assertEquals("us/op", prepare.get("scoreUnit").asText());
    assertEquals(3, prepare.get("rawData").get(0).size());
  }

  @ParameterizedTest
  @CsvSource({
    "'', avgt",
    "-prof org.mitosis.result.SelfTimedProfiler, avgt",
    "-prof gc, avgt",
    "-bm ss, ss",
    "-bm sample, sample",
    "-bm thrpt, thrpt",
    "-f 0, avgt"
  })
  void theMetricIsThereInEveryModeOfJmh(String options, String mode) throws IOException {
    List<String> args = new ArrayList<>(List.of(BENCHMARK, "-p", "memorySize=1m"));
    args.addAll(List.of("-wi", "0", "-i", "1", "-r", "50ms"));
    args.addAll(List.of((options.contains("-f ") ? options : "-f 1 " + options).trim().split(" ")));
    BenchmarksJar.Outcome run = jar.run(args);
    assertEquals(0, run.exitCode(), run.err());
    JsonNode result = json(jar.resultFolders().get(0).resolve("jmh.json")).get(0);
    assertEquals(mode, result.get("mode").asText());
    assertTrue(prepare(result).get("score").asDouble() > 0, result.toString());
    assertEquals(options.equals("-prof gc"), result.get("secondaryMetrics").has("gc.alloc.rate"));
    assertEquals(
        options.equals("-f 0"), run.out().contains("# Fork: N/A, test runs in the host VM"));
    assertTrue(run.out().contains("\nForkPrepare.workingSet, prepare\n"), run.out());
  }

  @ParameterizedTest
  @ValueSource(strings = {"0", "-1", "huge", "1.5m", "4097", "64t"})
  void aBadSizeIsOneSentence(String size) throws IOException {
    assertRefused(
        ExitCode.WRONG_ARGUMENTS,
        jar.run(args(BENCHMARK, "-p", "memorySize=1m," + size)),
        "memorySize");
  }

  @Test
  void aBadDeadlineIsOneSentence() throws IOException {
    jar.property("mitosis.deadlineMs", "soon");
    assertRefused(
        ExitCode.WRONG_ARGUMENTS,
        jar.run(args(BENCHMARK)),
        "-Dmitosis.deadlineMs=soon is not a positive number");
  }

  @Test
  void aForcedBackendThatIsMissingIsOneSentence() throws IOException {
    jar.property("mitosis.backend", "kernel")
        .property("mitosis.device", directory.resolve("missing").toString());
    assertRefused(ExitCode.NOT_HERE, jar.run(args(BENCHMARK)), "backend 'kernel' is forced");
    jar.property("mitosis.backend", "quantum");
    assertRefused(ExitCode.WRONG_ARGUMENTS, jar.run(args(BENCHMARK)), "'quantum' is not a backend");
  }

  @ParameterizedTest
  @ValueSource(strings = {"file/below", "file"})
  void aResultsDirectoryThatCannotBeMadeIsFoundBeforeTheRun(String place) throws IOException {
    Files.createFile(directory.resolve("file"));
    jar.property("mitosis.results", directory.resolve(place).toString());
    assertRefused(ExitCode.FAILED, jar.run(args(BENCHMARK)), "cannot be made or written to");
  }

  @Test
  void anOutputFileThatCannotBeWrittenIsFoundBeforeTheRun() throws IOException {
    assertRefused(
        ExitCode.FAILED, jar.run(args(BENCHMARK, "-o", "no/such/file")), "the output file of -o");
  }

  @Test
  void aFullDiskIsFoundBeforeTheRun() throws Exception {
    try (Tmpfs disk = new Tmpfs(directory.resolve("disk"), 32)) {
      jar.property("mitosis.results", disk.path().resolve("r").toString());
      assertRefused(ExitCode.FAILED, jar.run(args(BENCHMARK)), "No space left on device");
    }
  }

  @Test
  void aDiskThatFillsUpDuringARunLeavesWhatWasPrinted() throws Exception {
    try (Tmpfs disk = new Tmpfs(directory.resolve("disk"), 256)) {
      Path results = disk.path().resolve("r");
      jar.property("mitosis.results", results.toString());
      BenchmarksJar.Running running = jar.start(args(BENCHMARK, "-p", "memorySize=1m"));
      BenchmarksJar.await(
          60_000,
          "the run has begun",
          () -> Files.exists(results.resolve("environment.json")) || !running.process().isAlive());
      disk.fill();
      BenchmarksJar.Outcome run = running.outcome();
      assertEquals(1, run.exitCode(), run.out() + run.err());
      assertTrue(run.out().contains("# Run complete."), run.out());
      assertTrue(run.err().contains("No space left on device"), run.err());
    }
  }

  @Test
  void aFailedBenchmarkIsNamedAndTheResultsOfTheOthersAreKept() throws IOException {
    jar.property("mitosis.deadlineMs", "1");
    BenchmarksJar.Outcome run =
        jar.run(args("ForkPrepare.workingSet|NilCall.jna", "-p", "memorySize=256m"));
    assertEquals(1, run.exitCode(), run.err());
    assertTrue(
        run.err()
            .contains("1 of 2 benchmarks failed (ForkPrepare.workingSet memorySize=268435456)"),
        run.err());
    Path folder = jar.resultFolders().get(0);
    JsonNode results = json(folder.resolve("jmh.json"));
    assertEquals(1, results.size());
    assertTrue(results.get(0).get("benchmark").asText().endsWith(".NilCall.jna"));
    JsonNode environment = json(folder.resolve("environment.json"));
    assertEquals("failed", environment.get("outcome").asText());
    assertEquals(
        "ForkPrepare.workingSet memorySize=268435456", environment.get("failed").get(0).asText());
    String log = Files.readString(folder.resolve("log.txt"));
    assertTrue(log.contains("<failure>"), log);
    assertTrue(run.out().contains(log.strip()), log);
  }

  @Test
  void aFailureThatEndsTheRunIsTold() throws IOException {
    jar.property("mitosis.deadlineMs", "1");
    BenchmarksJar.Outcome run = jar.run(args(BENCHMARK, "-p", "memorySize=256m", "-foe", "true"));
    assertEquals(1, run.exitCode(), run.err());
    assertTrue(run.err().contains("mitosis: a benchmark failed and ended the run"), run.err());
    Path folder = jar.resultFolders().get(0);
    assertEquals("failed", json(folder.resolve("environment.json")).get("outcome").asText());
    assertTrue(Files.readString(folder.resolve("log.txt")).contains("<failure>"));
  }

  @ParameterizedTest
  @ValueSource(strings = {"-rf json -rff no/such/file", "-rff .", "-o no/such/file"})
  void aFileThatCannotBeWrittenIsOneLine(String options) throws IOException {
    List<String> args = args(BENCHMARK, "-p", "memorySize=1m");
    args.addAll(Arrays.asList(options.split(" ")));
    BenchmarksJar.Outcome run = jar.run(args);
    assertEquals(1, run.exitCode(), run.err());
    assertTrue(
        run.err().matches("mitosis: the .* file of -\\w+ cannot be written: .*\\R"), run.err());
    assertEquals("", run.out());
    assertEquals(List.of(), jar.resultFolders());
  }

  /** A profiler of Windows. */
  @Test
  void aProfilerThatThisMachineLacksIsOneLine() throws IOException {
    BenchmarksJar.Outcome run =
        jar.run(args(BENCHMARK, "-p", "memorySize=1m", "-prof", "xperfasm"));
    assertEquals(3, run.exitCode(), run.err());
    assertTrue(
        run.err().matches("mitosis: the profiler 'xperfasm' cannot run here: .+\\n"), run.err());
    assertEquals("", run.out());
    assertEquals(List.of(), jar.resultFolders());
  }

  @Test
  void aProfilerThatDoesNotExistIsOneLine() throws IOException {
    BenchmarksJar.Outcome run =
        jar.run(args(BENCHMARK, "-p", "memorySize=1m", "-prof", "nonsense"));
    assertEquals(2, run.exitCode(), run.err());
    assertEquals(
        List.of("mitosis: there is no profiler 'nonsense'; -lprof lists them"),
        run.err().lines().toList());
    assertEquals("", run.out());
    assertEquals(List.of(), jar.resultFolders());
  }

  @Test
  void aSecondRunAtTheSameTimeIsToldWhoHoldsTheLock() throws Exception {
    List<String> longer =
        List.of(BENCHMARK, "-p", "memorySize=1m", "-f", "1", "-wi", "0", "-i", "1", "-r", "10s");
    BenchmarksJar.Running first = jar.start(longer);
    try {
      BenchmarksJar.await(60_000, "the first run has begun", () -> holdsTheLock(first));
      BenchmarksJar.Outcome second = jar.run(args(BENCHMARK, "-p", "memorySize=1m"));
      assertEquals(3, second.exitCode());
      assertTrue(second.err().startsWith("mitosis: another JMH run"), second.err());
      assertTrue(second.err().contains("(process " + first.process().pid() + ")"), second.err());
      assertEquals("", second.out());
      assertEquals(1, jar.resultFolders().size());
      assertTrue(first.process().isAlive());
    } finally {
      first.process().destroy();
      assertTrue(first.process().waitFor(30, TimeUnit.SECONDS));
    }
  }

  @Test
  void theRatioOfANilCallIsShown() throws IOException {
    BenchmarksJar.Outcome run = jar.run(args("NilCall"));
    assertEquals(0, run.exitCode(), run.err());
    assertTrue(run.out().contains("\nNilCall, jna / c (medians, ns)\n"), run.out());
  }

  private static boolean holdsTheLock(BenchmarksJar.Running run) {
    try {
      return run.out().contains("# Fork: 1 of 1");
    } catch (IOException e) {
      return false;
    }
  }

  /** One message on standard error, no other output, and no folder left. */
  private void assertRefused(ExitCode code, BenchmarksJar.Outcome run, String message)
      throws IOException {
    assertEquals(code.number(), run.exitCode(), run.out() + run.err());
    assertEquals("", run.out());
    assertEquals(1, run.err().lines().count(), run.err());
    assertTrue(run.err().startsWith("mitosis: "), run.err());
    assertTrue(run.err().contains(message), run.err());
    assertFalse(run.err().contains("Exception"), run.err());
    assertEquals(List.of(), jar.resultFolders());
  }

  private static List<String> args(String... first) {
    List<String> args = new ArrayList<>(Arrays.asList(first));
    args.addAll(BenchmarksJar.SHORT);
    return args;
  }

  private static JsonNode prepare(JsonNode result) {
    assertNotEquals(0, result.get("secondaryMetrics").size(), result.toString());
    return result.get("secondaryMetrics").get("prepare");
  }

  private static JsonNode json(Path file) throws IOException {
    return new ObjectMapper().readTree(file.toFile());
  }

  private static List<String> names(Path folder) throws IOException {
    try (Stream<Path> entries = Files.list(folder)) {
      return entries.map(entry -> entry.getFileName().toString()).sorted().toList();
    }
  }

  /** A small file system of its own. */
  private record Tmpfs(Path path) implements AutoCloseable {
    Tmpfs(Path path, int kibibytes) throws IOException, InterruptedException {
      this(Files.createDirectories(path));
      assumeTrue(
          command("mount", "-t", "tmpfs", "-o", "size=" + kibibytes + "k", "tmpfs", path.toString())
              == 0,
          "needs the right to mount a tmpfs, as root has it");
    }

    void fill() throws IOException {
      try (OutputStream file = Files.newOutputStream(path.resolve("filler"))) {
        while (true) {
          file.write(new byte[1024]);
        }
      } catch (IOException e) {
        assertTrue(e.getMessage().contains("No space left"), e.getMessage());
      }
    }

    @Override
    public void close() throws IOException {
      try {
        assertEquals(0, command("umount", path.toString()));
      } catch (InterruptedException e) {
        Thread.currentThread().interrupt();
      }
    }

    private static int command(String... command) throws IOException, InterruptedException {
      Process process =
          new ProcessBuilder(command)
              .redirectErrorStream(true)
              .redirectOutput(ProcessBuilder.Redirect.DISCARD)
              .start();
      assertTrue(process.waitFor(30, TimeUnit.SECONDS), command[0]);
      return process.exitValue();
    }
  }
}
