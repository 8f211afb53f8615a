// SPDX-License-Identifier: Apache-2.0
package org.mitosis;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;

/** Runs a main class of the tests in a JVM of its own. */
public final class ChildJvm {
  private static final long DEADLINE_S = 60;

  private final Process process;
  private final Path output;

  private ChildJvm(Process process, Path output) {
    this.process = process;
    this.output = output;
  }

  /**
   * Starts it on the class path of the tests.
   *
   * @param options JVM options, such as {@code -Dname=value}
   * @param environment variables that replace inherited ones
   */
  public static ChildJvm start(
      Class<?> main, List<String> options, Map<String, String> environment, String... arguments)
      throws IOException {
    List<String> command = new ArrayList<>();
    command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
    command.add("--enable-native-access=ALL-UNNAMED");
    command.addAll(options);
    command.add("-cp");
    command.add(System.getProperty("java.class.path"));
    command.add(main.getName());
    command.addAll(List.of(arguments));
    Path output = Files.createTempFile("child-jvm", ".out");
    ProcessBuilder builder =
        new ProcessBuilder(command).redirectErrorStream(true).redirectOutput(output.toFile());
    builder.environment().putAll(environment);
    // Each of them has the JVM print a line of its own.
    builder
        .environment()
        .keySet()
        .removeAll(List.of("JAVA_TOOL_OPTIONS", "JDK_JAVA_OPTIONS", "_JAVA_OPTIONS"));
    return new ChildJvm(builder.start(), output);
  }

  /** Its output, line by line, once it has ended with exit code 0. */
  public List<String> lines() throws IOException, InterruptedException {
    return lines(DEADLINE_S);
  }

  /** The same of one that may take longer. */
  public List<String> lines(long deadlineS) throws IOException, InterruptedException {
    try {
      if (!process.waitFor(deadlineS, TimeUnit.SECONDS)) {
        process.descendants().forEach(ProcessHandle::destroyForcibly);
        process.destroyForcibly().waitFor();
        throw new AssertionError("no end within " + deadlineS + " s: " + said());
      }
      if (process.exitValue() != 0) {
        throw new AssertionError("exit code " + process.exitValue() + ": " + said());
      }
      return said();
    } finally {
      Files.deleteIfExists(output);
    }
  }

  private List<String> said() throws IOException {
    return Files.readAllLines(output, StandardCharsets.UTF_8);
  }
}
