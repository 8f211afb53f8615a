// SPDX-License-Identifier: Apache-2.0
package org.mitosis.benchmark;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assertions.fail;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.mitosis.Backend;
import org.mitosis.Mitosis;
import org.openjdk.jmh.runner.BenchmarkList;
import org.openjdk.jmh.runner.BenchmarkListEntry;
import org.openjdk.jmh.runner.format.OutputFormatFactory;
import org.openjdk.jmh.runner.options.VerboseMode;

/** What an IDE does: it starts a class from target/classes, not from a jar. */
class IdeTest {
  private static final Path CONFIGURATIONS = Path.of("..", ".run");
  private static final Pattern MAIN_CLASS = Pattern.compile("MAIN_CLASS_NAME\" value=\"([^\"]+)\"");
  private static final List<String> SHORT =
      List.of("-f", "1", "-wi", "0", "-i", "1", "-r", "50ms", "-foe", "true");
  private static final long DEADLINE_S = 120;

  @TempDir Path directory;

  @Test
  void everyBenchmarkClassCanBeStarted() throws Exception {
    Set<String> configured = configured();
    for (String name : benchmarkClasses()) {
      Class<?> benchmarks = Class.forName(name);
      assertEquals(void.class, benchmarks.getMethod("main", String[].class).getReturnType());
      assertTrue(configured.contains(name), name + " has no configuration in .run");
    }
  }

  @Test
  void everyConfigurationStartsAClassThatIsThere() throws Exception {
    for (String name : configured()) {
      Class.forName(name).getMethod("main", String[].class);
    }
  }

  @Test
  void jmhsOwnMainClassRunsThemFromTheClasses() throws Exception {
    requireUserBackend();
    List<String> command =
        new ArrayList<>(
            List.of(
                "org.openjdk.jmh.Main",
                "ForkPrepare.workingSet",
                "-p",
                "memorySize=1m",
                "-prof",
                "org.mitosis.result.SelfTimedProfiler"));
    command.addAll(SHORT);
    String out = run(command);
    assertTrue(out.contains("ForkPrepare.workingSet:prepare"), out);
  }

  @Test
  void aClassRunsItselfAndKeepsResults() throws Exception {
    requireUserBackend();
    List<String> command =
        new ArrayList<>(List.of("org.mitosis.benchmark.ForkPrepare", "-p", "memorySize=1m"));
    command.addAll(SHORT);
    command.addAll(List.of("-e", "function", "-e", "jvm"));
    String out = run(command);
    assertTrue(out.contains("ForkPrepare.workingSet:prepare"), out);
    assertTrue(!out.contains("PrepareOverFork"), "no other class");
    try (Stream<Path> results = Files.list(directory.resolve("results"))) {
      assertTrue(Files.exists(results.findFirst().orElseThrow().resolve("jmh.json")));
    }
  }

  private static void requireUserBackend() {
    assumeTrue(
        Mitosis.availabilities().stream()
            .anyMatch(found -> found.backend() == Backend.USER && found.available()),
        "needs the user backend");
  }

  private String run(List<String> arguments) throws IOException, InterruptedException {
    String classPath =
        System.getProperty("surefire.test.class.path", System.getProperty("java.class.path"));
    assertTrue(classPath.contains(Path.of("target", "classes").toString()), classPath);
    List<String> command =
        new ArrayList<>(
            List.of(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "--enable-native-access=ALL-UNNAMED",
                "-Djava.io.tmpdir=" + directory,
                "-Dmitosis.backend=user",
                "-Dmitosis.native.dir=" + System.getProperty("mitosis.native.dir", ""),
                "-cp",
                classPath));
    command.addAll(arguments);
    Path out = directory.resolve("out");
    Process process =
        new ProcessBuilder(command)
            .directory(directory.toFile())
            .redirectErrorStream(true)
            .redirectOutput(out.toFile())
            .start();
    if (!process.waitFor(DEADLINE_S, TimeUnit.SECONDS)) {
      process.descendants().forEach(ProcessHandle::destroyForcibly);
      process.destroyForcibly();
      fail("not done after " + DEADLINE_S + " s: " + Files.readString(out));
    }
    String words = Files.readString(out, StandardCharsets.UTF_8);
    assertEquals(0, process.exitValue(), words);
    return words;
  }

  private static Set<String> benchmarkClasses() {
    return BenchmarkList.defaultList()
        .getAll(OutputFormatFactory.createFormatInstance(System.out, VerboseMode.SILENT), List.of())
        .stream()
        .map(BenchmarkListEntry::getUserClassQName)
        .filter(name -> name.startsWith("org.mitosis.benchmark."))
        .collect(Collectors.toSet());
  }

  private static Set<String> configured() throws IOException {
    try (Stream<Path> files = Files.list(CONFIGURATIONS)) {
      return files
          .map(
              file -> {
                try {
                  Matcher matcher = MAIN_CLASS.matcher(Files.readString(file));
                  assertTrue(matcher.find(), file::toString);
                  return matcher.group(1);
                } catch (IOException e) {
                  throw new AssertionError(e);
                }
              })
          .collect(Collectors.toSet());
    }
  }
}
