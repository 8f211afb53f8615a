// SPDX-License-Identifier: Apache-2.0
package org.mitosis.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeFalse;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.io.StringWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import javax.tools.JavaCompiler;
import javax.tools.ToolProvider;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.mitosis.fixture.UserfaultfdRight;
import org.mitosis.result.SampleRun;

/** The programs of examples/, compiled with all warnings and run. */
class ExamplesIT {
  private static final Path EXAMPLES = Path.of("..", "examples");

  @TempDir Path directory;
  private BenchmarksJar jar;

  @BeforeEach
  void jar() throws IOException {
    jar = new BenchmarksJar(directory);
    jar.requireUserBackend();
  }

  @Test
  void allCompileWithoutAWarning() throws IOException {
    JavaCompiler compiler = ToolProvider.getSystemJavaCompiler();
    try (Stream<Path> files = Files.list(EXAMPLES)) {
      List<Path> sources =
          files.filter(file -> file.toString().endsWith(".java")).sorted().toList();
      assertEquals(6, sources.size());
      StringWriter messages = new StringWriter();
      boolean compiled =
          compiler
              .getTask(
                  messages,
                  null,
                  null,
                  List.of(
                      "-Xlint:all",
                      "-Werror",
                      "-proc:none",
                      "-cp",
                      System.getProperty("benchmarks.jar"),
                      "-d",
                      directory.toString()),
                  null,
                  compiler
                      .getStandardFileManager(null, null, null)
                      .getJavaFileObjectsFromPaths(sources))
              .call();
      assertTrue(compiled, messages::toString);
    }
  }

  @Test
  void whatWorksIsSaid() throws IOException {
    assertTrue(run("WhatWorks").contains("user: can be used"));
  }

  @Test
  void aProcessPreparesItself() throws IOException {
    String out = run("PrepareMyself");
    assertTrue(out.contains("7073") && out.endsWith("dropped\n"), out);
  }

  @Test
  void aJvmGoesOnInItsChildren() throws IOException {
    BenchmarksJar.Outcome outcome = runs("ForkAJvm");
    String err = outcome.err();
    assumeFalse(
        err.contains("needs a PID namespace") || err.contains("need root or CAP_SYS_PTRACE"),
        () -> "needs root, for userfaultfd and a PID namespace: " + err);
    String out = outcome.out();
    assertEquals(3, out.lines().filter("exit code 0"::equals).count(), out + err);
    List<String> children = out.lines().filter(line -> line.startsWith("child: ")).toList();
    assertEquals(3, children.size(), out);
    assertEquals(1, children.stream().map(line -> line.split(" ")[1]).distinct().count(), out);
  }

  @Test
  void childrenAreForked() throws IOException {
    assumeTrue(UserfaultfdRight.read().allowed(), "needs the right to use userfaultfd");
    String out = run("ForkALot");
    assertEquals(
        10,
        out.lines()
            .filter(line -> line.matches("child \\d+: resumed after \\d+ us, worked \\d+ us, .*"))
            .count(),
        out);
  }

  @Test
  void childrenComeFromAnotherMachine() throws IOException {
    assumeTrue(UserfaultfdRight.read().allowed(), "needs the right to use userfaultfd");
    String out = run("TwoMachines");
    assertTrue(out.contains("child on machine 2: ") && out.contains("child on machine 3: "), out);
  }

  @Test
  void aRunIsJudged() throws IOException {
    SampleRun sample = new SampleRun(directory.resolve("run"));
    sample
        .levels("ForkPrepare.workingSet", Map.of("memorySize", "4096"), "prepare", 1000, 1010, 1020)
        .finished();
    String out = run("JudgeARun", sample.folder().toString());
    assertTrue(out.contains("ForkPrepare.workingSet memorySize=4096, prepare: "), out);
    assertTrue(out.contains("(flat)"), out);
  }

  @Test
  void aRunThatIsNotThereIsOneLine() throws IOException {
    BenchmarksJar.Outcome outcome =
        jar.runSource(
            EXAMPLES.resolve("JudgeARun.java").toAbsolutePath().normalize(),
            List.of("no/such/run"));
    assertEquals(1, outcome.exitCode(), outcome.err());
    assertTrue(outcome.err().matches("no/such/run does not exist: .*\\R"), outcome.err());
  }

  private String run(String example, String... args) throws IOException {
    return runs(example, args).out();
  }

  private BenchmarksJar.Outcome runs(String example, String... args) throws IOException {
    BenchmarksJar.Outcome outcome =
        jar.runSource(
            EXAMPLES.resolve(example + ".java").toAbsolutePath().normalize(), List.of(args));
    assertEquals(0, outcome.exitCode(), outcome.err());
    return outcome;
  }
}
