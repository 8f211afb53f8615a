// SPDX-License-Identifier: Apache-2.0
package org.mitosis.cluster;

import static org.junit.jupiter.api.Assertions.fail;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.TimeUnit;
import java.util.function.BooleanSupplier;
import java.util.function.Supplier;
import java.util.stream.Stream;

/**
 * A cluster of scripts/namespace-cluster: machines that are network namespaces with a real sshd,
 * and a place for coordinators, which are benchmarks.jar as its users run it.
 */
final class NamespaceCluster implements AutoCloseable {
  static final Path SCRIPT = Path.of("..", "scripts", "namespace-cluster").toAbsolutePath();

  /**
   * Between the starts of loops that one gate opens. A loaded host may keep a loop waiting for a
   * processor this long; loops without a gate start whole JVM starts apart.
   */
  static final long MAX_START_SKEW_NS = 500_000_000;

  private static final long DEADLINE_S = 150;
  private static final long POLL_MS = 50;

  private final Path directory;
  private final Path work;
  private final Map<String, String> config = new TreeMap<>();
  private final List<Process> started = new ArrayList<>();
  private int runs;

  private NamespaceCluster(Path directory, Path work, int children) {
    this.directory = directory;
    this.work = work;
    config.put("PROJECT_PATH", "/opt/mitosis");
    config.put("PARENT_HOST", "p");
    config.put(
        "CHILD_HOSTS",
        String.join(",", Stream.iterate(1, i -> i + 1).limit(children).map(i -> "c" + i).toList()));
    config.put("SSH_CONFIG", directory.resolve("ssh_config").toString());
    config.put("JAVA", Path.of(System.getProperty("java.home"), "bin", "java").toString());
  }

  /** What a command printed. */
  record Outcome(int exitCode, String out, String err) {}

  /**
   * Builds one; skips the test if this machine lacks what it takes, and names that.
   *
   * @param work an empty directory
   */
  static NamespaceCluster up(Path work, int children, String... options) throws IOException {
    assumeTrue(
        System.getProperty("benchmarks.jar") != null,
        "needs -Dbenchmarks.jar, which the build gives (./mvnw verify)");
    Path directory = Files.createTempDirectory(Path.of("/var/tmp"), "mitosis-cluster-");
    Files.delete(directory);
    NamespaceCluster cluster = new NamespaceCluster(directory, work, children);
    List<String> command =
        new ArrayList<>(
            List.of("up", directory.toString(), "--children", Integer.toString(children)));
    command.addAll(List.of(options));
    Outcome up = cluster.script(command.toArray(String[]::new));
    assumeTrue(up.exitCode() == 0, () -> "no cluster of network namespaces: " + up.err().strip());
    return cluster;
  }

  Path directory() {
    return directory;
  }

  /** Runs scripts/namespace-cluster. */
  Outcome script(String... args) throws IOException {
    List<String> command = new ArrayList<>(List.of(SCRIPT.toString()));
    command.addAll(List.of(args));
    return start(command).outcome();
  }

  /** Runs a command on a machine, without ssh. */
  Outcome on(String machine, String... command) throws IOException {
    List<String> all = new ArrayList<>(List.of("on", directory.toString(), machine));
    all.addAll(List.of(command));
    return script(all.toArray(String[]::new));
  }

  /** Runs {@code cluster} to its end. */
  Outcome run(String target, String... values) throws IOException {
    return startRun(target, values).outcome();
  }

  /** Starts {@code cluster} with the config of all machines and the given arguments. */
  Running startRun(String target, String... arguments) throws IOException {
    return start(coordinator(List.of(), target, arguments));
  }

  /** The command line of a coordinator, with a command before it. */
  List<String> coordinator(List<String> before, String target, String... arguments)
      throws IOException {
    runs++;
    Path file = work.resolve("cluster" + runs + ".conf");
    StringBuilder text = new StringBuilder();
    config.forEach((key, value) -> text.append(key).append('=').append(value).append('\n'));
    Files.writeString(file, text);
    List<String> command =
        new ArrayList<>(List.of(SCRIPT.toString(), "exec", directory.toString()));
    // A shell that runs this test in the background may have it ignore Ctrl-C.
    command.addAll(List.of("env", "--default-signal=INT"));
    command.addAll(before);
    command.addAll(
        List.of(
            Path.of(System.getProperty("java.home"), "bin", "java").toString(),
            "-Dmitosis.results=" + results(),
            "-jar",
            System.getProperty("benchmarks.jar"),
            "cluster",
            target,
            "--config",
            file.toString()));
    command.addAll(Arrays.asList(arguments));
    return command;
  }

  /** The results of the last run. */
  Path results() {
    return work.resolve("results" + runs);
  }

  JsonNode description() throws IOException {
    return new ObjectMapper().readTree(results().resolve("cluster.json").toFile());
  }

  Running start(List<String> command) throws IOException {
    Path out = Files.createTempFile(work, "run", ".out");
    Path err = Files.createTempFile(work, "run", ".err");
    Process process =
        new ProcessBuilder(command)
            .directory(work.toFile())
            .redirectOutput(out.toFile())
            .redirectError(err.toFile())
            .start();
    started.add(process);
    return new Running(process, out, err);
  }

  /** Ends what a test has not ended, so that the next one finds idle machines. */
  void endRuns() {
    started.stream().filter(Process::isAlive).forEach(Process::destroyForcibly);
    started.clear();
  }

  /** A command that may not have ended. */
  record Running(Process process, Path outFile, Path errFile) {
    Outcome outcome() throws IOException {
      try {
        if (!process.waitFor(DEADLINE_S, TimeUnit.SECONDS)) {
          process.descendants().forEach(ProcessHandle::destroyForcibly);
          process.destroyForcibly();
          fail("not done after " + DEADLINE_S + " s: " + Files.readString(errFile));
        }
      } catch (InterruptedException e) {
        Thread.currentThread().interrupt();
        fail("interrupted");
      }
      return new Outcome(process.exitValue(), Files.readString(outFile), Files.readString(errFile));
    }

    /** {@code ip netns exec} becomes the command: its process is the coordinator's JVM. */
    void signal(String name) throws IOException {
      new ProcessBuilder("kill", "-" + name, Long.toString(process.pid())).start();
    }
  }

  /** Waits until the last run has got samples of every given machine. */
  void awaitSamples(String... hosts) {
    awaitSamplesIn(results(), hosts);
  }

  /** The same of any run, by its results. */
  void awaitSamplesIn(Path results, String... hosts) {
    await(
        60,
        () -> "samples of " + List.of(hosts),
        () -> {
          try {
            String log = Files.readString(results.resolve("log.txt"));
            return Stream.of(hosts)
                .allMatch(host -> log.contains(" " + host + " [") && log.contains("latency"));
          } catch (IOException e) {
            return false;
          }
        });
  }

  /** Nothing of ours runs on any machine, now or a little later. */
  void assertNothingLeft(long deadlineS) {
    awaitNothingLeftOn("", deadlineS);
  }

  /** The same of the machines whose names begin so. */
  void awaitNothingLeftOn(String machine, long deadlineS) {
    await(
        deadlineS,
        () -> "no process left, but there are " + left(),
        () -> left().stream().noneMatch(line -> line.startsWith(machine)));
  }

  private List<String> left() {
    try {
      return script("left", directory.toString()).out().lines().toList();
    } catch (IOException e) {
      return List.of(e.toString());
    }
  }

  private static void await(long deadlineS, Supplier<String> message, BooleanSupplier condition) {
    long startNs = System.nanoTime();
    while (!condition.getAsBoolean()) {
      if (System.nanoTime() - startNs > TimeUnit.SECONDS.toNanos(deadlineS)) {
        fail("not within " + deadlineS + " s: " + message.get());
      }
      try {
        Thread.sleep(POLL_MS);
      } catch (InterruptedException e) {
        Thread.currentThread().interrupt();
        fail("interrupted");
      }
    }
  }

  @Override
  public void close() throws IOException {
    script("down", directory.toString());
  }
}
