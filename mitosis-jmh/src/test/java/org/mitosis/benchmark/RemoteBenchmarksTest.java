// SPDX-License-Identifier: Apache-2.0
package org.mitosis.benchmark;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.mitosis.fixture.ContainerKind;
import org.mitosis.fixture.MemorySize;
import org.mitosis.fixture.Preflight;
import org.mitosis.fixture.PythonFunctionTest;
import org.mitosis.fixture.UserfaultfdRequirement;
import org.mitosis.setting.MissingPrerequisite;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.results.Result;
import org.openjdk.jmh.results.RunResult;
import org.openjdk.jmh.runner.RunnerException;
import org.openjdk.jmh.runner.options.ChainedOptionsBuilder;
import org.openjdk.jmh.runner.options.TimeValue;

/**
 * Runs every benchmark of children, launchers and machines for a moment, as an IDE would, looks for
 * its self-timed figures, and for what it leaves behind.
 */
@ExtendWith(ShortRun.BesideOthers.class)
class RemoteBenchmarksTest {
  static final String OF_SEVERAL_PROCESSES =
      "\\.(Burst|EmptyContainer|Execution|FirstResult|ForkResume|LoadSpike|Memory|NilRpc|PeakThroughput|StartupExecution|TouchRatio)\\.";

  /** Each takes seconds to warm up: JvmBenchmarksTest has them. */
  private static final String OF_A_JVM =
      "\\.(Execution|FirstResult|ForkResume|Memory|PeakThroughput)\\.jvm";

  private static final Map<String, Set<String>> METRICS_OF_BENCHMARK =
      new TreeMap<>(
          Map.ofEntries(
              Map.entry("EmptyContainer.lean", Set.of("startup")),
              Map.entry("EmptyContainer.none", Set.of("startup")),
              Map.entry("EmptyContainer.strict", Set.of("startup")),
              Map.entry("Execution.function", Set.of("execution", "warm")),
              Map.entry("FirstResult.function", Set.of("firstResult")),
              Map.entry("ForkResume.function", Set.of("resume", "startup")),
              Map.entry(
                  "PeakThroughput.emptyContainer",
                  Set.of("child", "peak", "stable", "stableFrom", "stableTo", "startup")),
              Map.entry(
                  "PeakThroughput.function",
                  Set.of("child", "peak", "stable", "stableFrom", "stableTo", "startup")),
              Map.entry("Execution.workingSet", Set.of("cow", "execution")),
              Map.entry("FirstResult.workingSet", Set.of("firstResult")),
              Map.entry("ForkResume.threads", Set.of("resume", "startup")),
              Map.entry("ForkResume.workingSet", Set.of("resume", "startup")),
              Map.entry("NilRpc.c", Set.of("nilRpc")),
              Map.entry("NilRpc.jna", Set.of()),
              Map.entry(
                  "PeakThroughput.workingSet",
                  Set.of("child", "peak", "stable", "stableFrom", "stableTo", "startup")),
              Map.entry("StartupExecution.workingSet", Set.of("startup")),
              Map.entry("TouchRatio.workingSet", Set.of("execution", "resume", "startup"))));

  private static final long DEADLINE_MS = 20_000;

  private final List<Path> temporaryBefore = machines();
  @TempDir Path directory;
  private ShortRun shortRun;

  @BeforeEach
  void inItsFolder() {
    shortRun = new ShortRun(directory);
  }

  @BeforeAll
  static void needsUserfaultfd() {
    UserfaultfdRequirement.assumeUserfaultfd();
  }

  @BeforeAll
  static void needsPython() {
    PythonFunctionTest.assumePython();
  }

  @AfterEach
  void leavesNoMachineBehind() throws InterruptedException {
    long deadlineNs = System.nanoTime() + TimeUnit.MILLISECONDS.toNanos(DEADLINE_MS);
    while (!left().isEmpty()) {
      assertTrue(System.nanoTime() < deadlineNs, () -> "left behind: " + left());
      Thread.sleep(10);
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {"local", "tcp"})
  void inAForkedJvm(String transport) throws IOException, RunnerException {
    assertMetrics(1, shortRun.run(possible(options(Mode.SingleShotTime, transport)).forks(1)));
  }

  @Test
  void insideThisJvm() throws IOException, RunnerException {
    assertMetrics(0, shortRun.runHere(possible(options(Mode.AverageTime, "tcp"))));
  }

  @ParameterizedTest
  @ValueSource(strings = {"eager", "cached", "replica"})
  void otherModesOfResume(String resumeMode) throws IOException, RunnerException {
    Collection<RunResult> results =
        shortRun.run(
            options(Mode.SingleShotTime, "tcp")
                .include("\\.StartupExecution\\.")
                .param("resumeMode", resumeMode)
                .measurementIterations(3)
                .forks(0));
    assertEquals(1, results.size());
    Result<?> startup = results.iterator().next().getSecondaryResults().get("startup");
    assertEquals(3, startup.getSampleCount());
  }

  @Test
  void severalThreadsHaveAConnectionEach() throws IOException, RunnerException {
    Collection<RunResult> results =
        shortRun.run(
            options(Mode.AverageTime, "tcp").include("\\.NilRpc\\.jna$").threads(3).forks(0));
    assertEquals(1, results.size());
  }

  @Test
  void severalMachinesAndASchedule() throws IOException, RunnerException {
    RunResult result =
        shortRun
            .run(
                options(Mode.SingleShotTime, "tcp")
                    .include("\\.PeakThroughput\\.workingSet$")
                    .param("childMachines", "2")
                    .param("rate", "40")
                    .param("loops", "2")
                    // One second may hold no child of a machine that waits for a processor.
                    .param("seconds", "4")
                    .forks(0))
            .iterator()
            .next();
    assertEquals("ops/s", result.getSecondaryResults().get("peak").getScoreUnit());
    double peak = result.getSecondaryResults().get("peak").getScore();
    double first = result.getSecondaryResults().get("peak.machine1").getScore();
    double second = result.getSecondaryResults().get("peak.machine2").getScore();
    assertEquals(peak, first + second, peak / 1000);
    assertTrue(first > 0 && second > 0, first + " " + second);
  }

  @Test
  void theHighestRateUnderALimitIsFound() throws IOException, RunnerException {
    RunResult result =
        shortRun
            .run(
                options(Mode.SingleShotTime, "local")
                    .include("\\.PeakThroughput\\.workingSet$")
                    // The limit is above every time that a loaded machine makes of a second's load.
                    .param("rate", "search:60000")
                    .forks(0))
            .iterator()
            .next();
    double steps = result.getSecondaryResults().get("searchSteps").getScore();
    assertTrue(steps >= 1 && steps <= 8, "steps " + steps);
    assertTrue(result.getSecondaryResults().get("highestRate").getScore() >= 1);
    assertEquals(0, result.getSecondaryResults().get("lost").getScore());
    assertEquals("ops/s", result.getSecondaryResults().get("highestRate").getScoreUnit());
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = ';',
      quoteCharacter = '"',
      value = {
        "ForkResume.workingSet;transport;udp;transport must be one of local, tcp, rdma, auto, got"
            + " 'udp'",
        "ForkResume.workingSet;protection;strong;protection must be one of sealed, handshake, none,"
            + " got 'strong'",
        "Execution.workingSet;resumeMode;fast;resumeMode must be one of lazy, eager, cached, clone, replica, auto,"
            + " got 'fast'",
        "FirstResult.workingSet;prefetch;3;prefetch must be a power of two between 1 and 512, got"
            + " '3'",
        "StartupExecution.workingSet;container;fat;container must be one of lean, none, strict, got"
            + " 'fat'",
        "TouchRatio.workingSet;touchRatio;101;touchRatio must be between 0 and 100, got '101'",
        "PeakThroughput.workingSet;seconds;soon;seconds must be between 1 and 3600, got 'soon'",
        "PeakThroughput.workingSet;childMachines;2;transport local has one machine, not 2: choose"
            + " transport=tcp"
      })
  void aWrongValueIsOneMessage(String benchmark, String parameter, String value, String message)
      throws IOException {
    assertEquals(
        "org.mitosis.setting.MissingPrerequisite: " + message,
        shortRun
            .failure(
                options(Mode.SingleShotTime, "local")
                    .include("\\." + benchmark + "$")
                    .param(parameter, value)
                    .forks(0))
            .get(0));
  }

  /** What holds the snapshot's memory has it changed, as a debugger would. */
  @Test
  void aWrongPageFailsTheBenchmark() throws Exception {
    List<String> told =
        whileItRuns("StartupExecution.workingSet", "local", "mitosis-shadow", this::spoil);
    assertTrue(
        told.get(0).contains("local resume of handler id 73 failed")
            || told.get(0).contains("were not its parent's"),
        told::toString);
  }

  @ParameterizedTest
  @CsvSource({
    "local, mitosis-launcher, was ended by signal 9",
    "local, mitosisd, of handler id 73",
    "tcp, mitosis-launcher, was ended by signal 9"
  })
  void aProcessKilledInTheMiddleIsTold(String transport, String program, String words)
      throws Exception {
    List<String> told =
        whileItRuns("ForkResume.workingSet", transport, program, ProcessHandle::destroyForcibly);
    assertTrue(told.get(0).contains(words), told::toString);
  }

  private interface Disturbance {
    void of(ProcessHandle process) throws IOException;
  }

  /** Runs a benchmark for long, does something to one of its processes, and waits for its end. */
  private List<String> whileItRuns(
      String benchmark, String transport, String program, Disturbance disturbance)
      throws Exception {
    ExecutorService thread = Executors.newSingleThreadExecutor();
    try {
      Future<List<String>> told =
          thread.submit(
              () ->
                  shortRun.failure(
                      options(Mode.AverageTime, transport)
                          .include("\\." + benchmark + "$")
                          .param("container", "none") // else its control groups would stay
                          .measurementTime(TimeValue.seconds(30))
                          .forks(1)));
      for (ProcessHandle process : descendants(program)) {
        disturbance.of(process);
      }
      return told.get(60, TimeUnit.SECONDS);
    } catch (ExecutionException e) {
      throw new AssertionError(e.getCause());
    } finally {
      thread.shutdownNow();
      assertTrue(thread.awaitTermination(60, TimeUnit.SECONDS));
    }
  }

  /** Processes below this one that run a program, once the last of all is there: the launcher. */
  private static List<ProcessHandle> descendants(String program) throws Exception {
    long deadlineNs = System.nanoTime() + TimeUnit.MILLISECONDS.toNanos(DEADLINE_MS);
    while (running("mitosis-launcher").isEmpty()) {
      assertTrue(System.nanoTime() < deadlineNs, "no launcher");
      Thread.sleep(10);
    }
    return running(program);
  }

  private static List<ProcessHandle> running(String program) {
    return ProcessHandle.current()
        .descendants()
        .filter(process -> content(process, "comm").strip().equals(shortened(program)))
        .toList();
  }

  /** The kernel keeps 15 bytes of a process's name. */
  private static String shortened(String program) {
    return program.substring(0, Math.min(15, program.length()));
  }

  private void spoil(ProcessHandle process) throws IOException {
    String folder = "/proc/" + process.pid();
    try (RandomAccessFile memory = new RandomAccessFile(folder + "/mem", "rw")) {
      for (String line : Files.readAllLines(Path.of(folder, "maps"))) {
        if (line.contains(" rw-p 00000000 00:00 0") && size(line) >= 1 << 20) {
          long start = Long.parseLong(line.split("-")[0], 16);
          for (long at = 0; at < size(line); at += MemorySize.PAGE_SIZE) {
            memory.seek(start + at);
            memory.write(0x5a);
          }
        }
      }
    }
  }

  private static long size(String line) {
    String[] range = line.split(" ")[0].split("-");
    return Long.parseLong(range[1], 16) - Long.parseLong(range[0], 16);
  }

  private static String content(ProcessHandle process, String file) {
    try {
      return new String(
          Files.readAllBytes(Path.of("/proc", Long.toString(process.pid()), file)),
          StandardCharsets.ISO_8859_1);
    } catch (IOException e) {
      return "";
    }
  }

  private ChainedOptionsBuilder options(Mode mode, String transport) {
    return shortRun
        .options(mode)
        .exclude(OF_A_JVM)
        .param("transport", transport)
        .param("touchRatio", "50")
        .param("seconds", "1")
        .param("loops", "1");
  }

  /**
   * All but what needs rights that this user lacks, and but those of BurstTest and LoadSpikeTest.
   */
  private static ChainedOptionsBuilder possible(ChainedOptionsBuilder options) {
    options.include(OF_SEVERAL_PROCESSES).exclude("\\.(Burst|LoadSpike)\\.");
    return strictContainers() ? options : options.exclude("\\.EmptyContainer\\.strict$");
  }

  private static boolean strictContainers() {
    try {
      Preflight.requireContainer(ContainerKind.STRICT);
      return true;
    } catch (MissingPrerequisite e) {
      return false;
    }
  }

  private void assertMetrics(int forks, Collection<RunResult> results) throws IOException {
    Map<String, Set<String>> expected = new TreeMap<>(METRICS_OF_BENCHMARK);
    if (!strictContainers()) {
      expected.remove("EmptyContainer.strict");
    }
    assertEquals(expected, ShortRun.metrics(forks, results));
    shortRun.samples();
  }

  private List<Path> left() {
    List<Path> left = new ArrayList<>(machines());
    left.removeAll(temporaryBefore);
    return left;
  }

  /** The directories of machines. */
  private static List<Path> machines() {
    try (Stream<Path> files = Files.list(Path.of(System.getProperty("java.io.tmpdir")))) {
      return files.filter(file -> file.getFileName().toString().matches("mit-[0-9]+")).toList();
    } catch (IOException e) {
      throw new AssertionError(e);
    }
  }
}
