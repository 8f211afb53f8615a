// SPDX-License-Identifier: Apache-2.0
package org.mitosis.cli;

import static org.junit.jupiter.api.Assertions.fail;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.function.BooleanSupplier;
import java.util.stream.Stream;

/**
 * benchmarks.jar as its users run it: a process of its own, here with a working directory, a
 * runtime directory of the daemon and a lock of its own, so that other runs on this machine are
 * left alone.
 */
final class BenchmarksJar {
  /** One fork with one short iteration. */
  static final List<String> SHORT = List.of("-f", "1", "-wi", "0", "-i", "1", "-r", "50ms");

  private static final long DEADLINE_S = 120;
  private static final long POLL_MS = 20;

  private final Path directory;
  private final List<String> properties = new ArrayList<>();
  private final List<String> prefix = new ArrayList<>();
  private int runs;

  /**
   * A place for runs.
   *
   * @param directory an empty directory with a short path, which a socket's path has to go into
   */
  BenchmarksJar(Path directory) throws IOException {
    this.directory = directory;
    Files.createDirectories(workingDirectory());
    Files.createDirectories(directory.resolve("tmp"));
    property("java.io.tmpdir", directory.resolve("tmp").toString());
    property("mitosis.native.dir", required("mitosis.native.dir"));
  }

  /** What a run printed. */
  record Outcome(int exitCode, String out, String err) {}

  /** Skips the test unless the user backend works here. */
  void requireUserBackend() throws IOException {
    Outcome doctor = run("doctor");
    assumeTrue(
        doctor.out().contains("backend user: ready"),
        () -> "needs the user backend; the doctor says: " + doctor.out());
    property("mitosis.backend", "user");
  }

  /** Sets a system property for all runs from now on. */
  BenchmarksJar property(String name, String value) {
    properties.removeIf(property -> property.startsWith("-D" + name + "="));
    properties.add("-D" + name + "=" + value);
    return this;
  }

  /** Puts a command before java in all runs from now on. */
  BenchmarksJar startedBy(String... command) {
    prefix.addAll(Arrays.asList(command));
    return this;
  }

  Path workingDirectory() {
    return directory.resolve("w");
  }

  Path runtimeDirectory() {
    return directory.resolve("run");
  }

  /** Runs {@code java -jar benchmarks.jar} to its end. */
  Outcome run(String... args) throws IOException {
    return run(Arrays.asList(args));
  }

  Outcome run(List<String> args) throws IOException {
    return start(args).outcome();
  }

  /** Runs JMH's own main class of the same jar to its end, as the plugins of IDEs do. */
  Outcome runJmh(List<String> args) throws IOException {
    List<String> command = new ArrayList<>();
    command.add("--enable-native-access=ALL-UNNAMED"); // as the manifest says to -jar
    command.addAll(List.of("-cp", jar(), "org.openjdk.jmh.Main"));
    command.addAll(args);
    return start(command, "jmh").outcome();
  }

  /** Runs a program of one file, with the jar on its class path, to its end. */
  Outcome runSource(Path file, List<String> args) throws IOException {
    List<String> command = new ArrayList<>();
    command.addAll(List.of("--enable-native-access=ALL-UNNAMED", "-cp", jar(), file.toString()));
    command.addAll(args);
    return start(command, "source").outcome();
  }

  /** Starts {@code java -jar benchmarks.jar}. */
  Running start(List<String> args) throws IOException {
    List<String> command = new ArrayList<>(List.of("-jar", jar()));
    command.addAll(args);
    return start(command, "own");
  }

  private Running start(List<String> arguments, String name) throws IOException {
    List<String> command = new ArrayList<>(prefix);
    command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
    command.addAll(properties);
    command.addAll(arguments);
    runs++;
    Path out = directory.resolve(name + runs + ".out");
    Path err = directory.resolve(name + runs + ".err");
    ProcessBuilder builder =
        new ProcessBuilder(command)
            .directory(workingDirectory().toFile())
            .redirectOutput(out.toFile())
            .redirectError(err.toFile());
    builder.environment().put("MITOSIS_RUNTIME_DIR", runtimeDirectory().toString());
    return new Running(builder.start(), out, err);
  }

  /** A run that may not have ended. */
  record Running(Process process, Path outFile, Path errFile) {
    Outcome outcome() throws IOException {
      return outcome(DEADLINE_S);
    }

    Outcome outcome(long deadlineS) throws IOException {
      try {
        if (!process.waitFor(deadlineS, TimeUnit.SECONDS)) {
          process.descendants().forEach(ProcessHandle::destroyForcibly);
          process.destroyForcibly();
          fail("not done after " + deadlineS + " s: " + out() + Files.readString(errFile));
        }
      } catch (InterruptedException e) {
        Thread.currentThread().interrupt();
        fail("interrupted");
      }
      return new Outcome(process.exitValue(), out(), Files.readString(errFile));
    }

    String out() throws IOException {
      return Files.readString(outFile);
    }
  }

  /** The folders below results/, by name. */
  List<Path> resultFolders() throws IOException {
    Path results = workingDirectory().resolve("results");
    if (Files.notExists(results)) {
      return List.of();
    }
    try (Stream<Path> folders = Files.list(results)) {
      return folders.sorted().toList();
    }
  }

  /** Living processes with our runtime directory, whichever process started them. */
  List<String> processes() {
    return processes(runtimeDirectory());
  }

  /** Living processes with a runtime directory. */
  static List<String> processes(Path runtimeDirectory) {
    String mark = "MITOSIS_RUNTIME_DIR=" + runtimeDirectory + "\0";
    return ProcessHandle.allProcesses()
        .filter(process -> ("\0" + content("/proc/" + process.pid() + "/environ")).contains(mark))
        .map(process -> process.pid() + " " + content("/proc/" + process.pid() + "/comm").strip())
        .toList();
  }

  /** Waits until a condition holds; fails with the message if it does not within the deadline. */
  static void await(long deadlineMs, String message, BooleanSupplier condition) {
    long startNs = System.nanoTime();
    while (!condition.getAsBoolean()) {
      if (System.nanoTime() - startNs > TimeUnit.MILLISECONDS.toNanos(deadlineMs)) {
        fail("not within " + deadlineMs + " ms: " + message);
      }
      try {
        Thread.sleep(POLL_MS);
      } catch (InterruptedException e) {
        Thread.currentThread().interrupt();
        fail("interrupted");
      }
    }
  }

  /** Bytes as characters; empty if the process has ended meanwhile. */
  private static String content(String file) {
    try {
      return new String(Files.readAllBytes(Path.of(file)), StandardCharsets.ISO_8859_1);
    } catch (IOException e) {
      return "";
    }
  }

  /** The path of the jar. */
  static String jar() {
    return required("benchmarks.jar");
  }

  private static String required(String property) {
    String value = System.getProperty(property);
    assumeTrue(value != null, "needs -D" + property + ", which the build gives (./mvnw verify)");
    return value;
  }
}
