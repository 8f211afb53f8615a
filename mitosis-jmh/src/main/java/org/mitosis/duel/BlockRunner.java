// SPDX-License-Identifier: Apache-2.0
package org.mitosis.duel;

import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.mitosis.duel.Turn.Side;
import org.mitosis.result.HistogramLog;
import org.mitosis.result.ResultFolder;

/**
 * Runs the jar of a version as a process of its own, with the Java and the options of this one.
 * Each version has a runtime directory of its own: a version refuses the daemon of another.
 */
public final class BlockRunner {
  private static final long LISTING_DEADLINE_S = 120;
  private static final long BLOCK_DEADLINE_S = 3_600;
  private static final int LINES_OF_REASON = 3;

  /** Java and the shell give 128 and the number of the signal. */
  private static final int SIGNALS_FROM = 128;

  /** Options of this process that are of the whole duel. */
  private static final List<String> OWN =
      List.of(
          "-D" + HistogramLog.RESULTS_PROPERTY + "=",
          "-D" + ResultFolder.NAME_PROPERTY + "=",
          "-D" + HistogramLog.DIRECTORY_PROPERTY + "=");

  private final Path runtime;

  /**
   * A runner.
   *
   * @param runtime a directory with a short path, which sockets have to go into
   */
  public BlockRunner(Path runtime) {
    this.runtime = runtime;
  }

  /** What a jar printed. */
  private record Output(int exitCode, String text) {}

  /**
   * Lists benchmarks.
   *
   * @param jar of a version
   * @param arguments with {@code -lp}
   * @throws IOException with a message for the user if it does not list them
   */
  public Listing list(Path jar, List<String> arguments) throws IOException {
    Path log = temporary();
    try {
      Process process = start(jar, Side.OLD, List.of(), arguments, log);
      Output output = await(process, log, LISTING_DEADLINE_S);
      if (output.exitCode() != 0) {
        throw new IOException(jar + " does not list its benchmarks: " + reason(output.text()));
      }
      return Listing.parse(output.text());
    } finally {
      Files.deleteIfExists(log);
    }
  }

  /** A file that does not stay, even if this process is interrupted. */
  private static Path temporary() throws IOException {
    Path file = Files.createTempFile("mitosis-duel", ".txt");
    file.toFile().deleteOnExit();
    return file;
  }

  /** What {@code --version} of a jar says. */
  public String version(Path jar) throws IOException {
    Path log = temporary();
    try {
      Process process = start(jar, Side.OLD, List.of(), List.of("--version"), log);
      return await(process, log, LISTING_DEADLINE_S).text().strip();
    } finally {
      Files.deleteIfExists(log);
    }
  }

  /**
   * How a fork ended.
   *
   * @param problem what went wrong; empty if it gave its result
   * @param refused whether it was refused before it measured anything
   * @param killed whether a signal ended it, such as that of Ctrl-C, which this process gets as
   *     well
   */
  public record Ending(String problem, boolean refused, boolean killed) {
    /** Whether it gave its result. */
    public boolean isComplete() {
      return problem.isEmpty();
    }
  }

  /**
   * Runs one fork.
   *
   * @param jar of the version
   * @param folder for its results; must not exist
   * @param log for its output
   * @throws IOException if it cannot be started, or does not end
   */
  public Ending run(Path jar, Side side, List<String> arguments, Path folder, Path log)
      throws IOException {
    Process process =
        start(
            jar,
            side,
            List.of("-D" + HistogramLog.RESULTS_PROPERTY + "=" + folder),
            arguments,
            log);
    Output output = await(process, log, BLOCK_DEADLINE_S);
    ResultFolder results = ResultFolder.existing(folder);
    boolean refused = Files.notExists(results.environment());
    int code = output.exitCode();
    if (code == 0 && !refused && Files.exists(results.jmhJson())) {
      return new Ending("", false, false);
    }
    return new Ending(
        "exit code " + code + ": " + reason(output.text()) + " (" + log + ")",
        refused,
        code > SIGNALS_FROM);
  }

  private Process start(
      Path jar, Side side, List<String> properties, List<String> arguments, Path log)
      throws IOException {
    List<String> command = new ArrayList<>();
    command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
    command.addAll(inherited(ManagementFactory.getRuntimeMXBean().getInputArguments()));
    command.addAll(properties);
    command.add("-jar");
    command.add(jar.toString());
    command.addAll(arguments);
    ProcessBuilder builder =
        new ProcessBuilder(command)
            .redirectInput(ProcessBuilder.Redirect.from(Path.of("/dev/null").toFile()))
            .redirectErrorStream(true)
            .redirectOutput(log.toFile());
    builder.environment().put("MITOSIS_RUNTIME_DIR", runtime.resolve(side.toString()).toString());
    return builder.start();
  }

  /** The options of this Java that each block gets. */
  static List<String> inherited(List<String> own) {
    return own.stream().filter(option -> OWN.stream().noneMatch(option::startsWith)).toList();
  }

  private static Output await(Process process, Path log, long deadlineS) throws IOException {
    try {
      if (!process.waitFor(deadlineS, TimeUnit.SECONDS)) {
        process.descendants().forEach(ProcessHandle::destroyForcibly);
        process.destroyForcibly();
        throw new IOException(
            "a fork did not end within " + deadlineS + " s and was killed: see " + log);
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      process.destroy();
      throw new IOException("interrupted while a fork ran", e);
    }
    // Bytes that are not UTF-8 must not end the duel.
    return new Output(
        process.exitValue(), new String(Files.readAllBytes(log), StandardCharsets.UTF_8));
  }

  /** The messages of the harness, or the last lines. */
  static String reason(String output) {
    List<String> lines = output.lines().filter(line -> !line.isBlank()).toList();
    List<String> ours =
        lines.stream()
            .filter(line -> line.startsWith("mitosis: "))
            .filter(line -> !line.startsWith("mitosis: warning: "))
            .map(line -> line.substring("mitosis: ".length()))
            .toList();
    List<String> some = ours.isEmpty() ? lines : ours;
    return some.isEmpty()
        ? "it printed nothing"
        : String.join("; ", some.subList(Math.max(0, some.size() - LINES_OF_REASON), some.size()));
  }

  /** Deletes a folder with all that is in it, if it is there. */
  public static void delete(Path folder) throws IOException {
    if (Files.notExists(folder)) {
      return;
    }
    List<Path> all;
    try (Stream<Path> files = Files.walk(folder)) {
      all = new ArrayList<>(files.toList());
    }
    for (int i = all.size() - 1; i >= 0; i--) {
      Files.deleteIfExists(all.get(i));
    }
  }
}
