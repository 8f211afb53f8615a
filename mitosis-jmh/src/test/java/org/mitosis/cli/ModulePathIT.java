// SPDX-License-Identifier: Apache-2.0
package org.mitosis.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.File;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import javax.tools.JavaCompiler;
import javax.tools.ToolProvider;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.mitosis.result.SampleRun;

/** A module of somebody else's that requires ours. */
class ModulePathIT {
  private static final Pattern API = Pattern.compile("(mitosis-jna|mitosis-native|jna)-[0-9].*");

  /** What a dependent on mitosis-jmh gets besides. */
  private static final Pattern DEPENDENCIES =
      Pattern.compile(
          "(HdrHistogram|commons-(logging|math3|numbers|rng|statistics)|fontbox|h2|jackson|jmh-core"
              + "|jopt-simple|pdfbox)-.*");

  private static final Path EXAMPLE = Path.of("..", "examples", "own-module");
  private static final long DEADLINE_S = 60;

  @TempDir private Path directory;

  @Test
  void theNativeFilesAreFound() throws IOException, InterruptedException {
    Path module = Files.createDirectory(directory.resolve("m"));
    Path info =
        Files.writeString(module.resolve("module-info.java"), "module m { requires org.mitosis; }");
    Path main =
        Files.writeString(
            module.resolve("Where.java"),
            """
            package m;
            class Where {
              public static void main(String[] args) {
                System.out.print(org.mitosis.nativefiles.NativeFiles.path("mitosisd"));
              }
            }
            """);
    String said =
        run(
            api(),
            List.of(info, main),
            List.of("--add-modules", "org.mitosis.natives", "-m", "m/m.Where"));
    assertTrue(said.endsWith("mitosisd"), said);
  }

  @Test
  void resultsAreReadAndReported() throws IOException, InterruptedException {
    SampleRun sample = new SampleRun(directory.resolve("run"));
    sample
        .levels("ForkPrepare.workingSet", Map.of("memorySize", "4096"), "prepare", 1000, 1010, 1020)
        .finished();
    List<String> libraries = new ArrayList<>(api());
    libraries.add(System.getProperty("library.jar"));
    libraries.addAll(ofClassPath(DEPENDENCIES));
    Path report = directory.resolve("report");
    String said =
        run(
            libraries,
            List.of(
                EXAMPLE.resolve("module-info.java"),
                EXAMPLE.resolve(Path.of("org", "example", "figures", "Figures.java"))),
            List.of(
                "--add-modules",
                "ALL-MODULE-PATH",
                "-m",
                "org.example.figures/org.example.figures.Figures",
                sample.folder().toString(),
                report.toString()));
    assertTrue(said.contains("user: "), said);
    assertTrue(said.contains("ForkPrepare.workingSet memorySize=4096: 1010.0 ns"), said);
    assertTrue(Files.exists(report.resolve("index.html")), said);
  }

  /** Compiles a module and runs it; returns what it printed. */
  private String run(List<String> libraries, List<Path> sources, List<String> arguments)
      throws IOException, InterruptedException {
    String path = String.join(File.pathSeparator, libraries);
    Path classes = directory.resolve("classes");
    JavaCompiler compiler = ToolProvider.getSystemJavaCompiler();
    List<String> options = new ArrayList<>(List.of("-p", path, "-d", classes.toString()));
    sources.forEach(source -> options.add(source.toString()));
    assertEquals(0, compiler.run(null, null, null, options.toArray(String[]::new)));
    Path out = directory.resolve("out");
    List<String> command =
        new ArrayList<>(
            List.of(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "-Dmitosis.native.dir=" + directory.resolve("unpacked"),
                "-Djava.awt.headless=true",
                "-p",
                path + File.pathSeparator + classes));
    command.addAll(arguments);
    Process java =
        new ProcessBuilder(command).redirectErrorStream(true).redirectOutput(out.toFile()).start();
    try {
      assertTrue(java.waitFor(DEADLINE_S, TimeUnit.SECONDS), "no end in time");
    } finally {
      java.destroyForcibly();
    }
    String said = Files.readString(out, StandardCharsets.UTF_8);
    assertEquals(0, java.exitValue(), said);
    return said;
  }

  private static List<String> api() {
    List<String> found = ofClassPath(API);
    assumeTrue(
        found.size() == 3,
        () -> "needs the jars of mitosis-jna, mitosis-native and jna on the class path");
    return found;
  }

  /** Failsafe hands the class path to its JVM in a jar, and its text in a property. */
  private static List<String> ofClassPath(Pattern names) {
    String classPath =
        System.getProperty("surefire.test.class.path", System.getProperty("java.class.path"));
    return Stream.of(classPath.split(File.pathSeparator))
        .filter(path -> path.endsWith(".jar"))
        .filter(path -> names.matcher(Path.of(path).getFileName().toString()).matches())
        .collect(Collectors.toList());
  }
}
