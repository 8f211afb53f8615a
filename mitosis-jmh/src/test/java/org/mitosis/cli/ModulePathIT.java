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
import java.util.concurrent.TimeUnit;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import javax.tools.JavaCompiler;
import javax.tools.ToolProvider;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A module of somebody else's that requires ours. */
class ModulePathIT {
  private static final Pattern LIBRARIES =
      Pattern.compile("(mitosis-jna|mitosis-native|jna)-[0-9].*[.]jar");
  private static final long DEADLINE_S = 60;

  @TempDir private Path directory;

  @Test
  void theNativeFilesAreFound() throws IOException, InterruptedException {
    String libraries =
        Stream.of(classPath().split(File.pathSeparator))
            .filter(path -> LIBRARIES.matcher(Path.of(path).getFileName().toString()).matches())
            .collect(Collectors.joining(File.pathSeparator));
    assumeTrue(
        libraries.split(File.pathSeparator).length == 3,
        () -> "needs the jars of mitosis-jna, mitosis-native and jna on the class path");
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
    JavaCompiler compiler = ToolProvider.getSystemJavaCompiler();
    Path classes = directory.resolve("classes");
    assertEquals(
        0,
        compiler.run(
            null,
            null,
            null,
            "-p",
            libraries,
            "-d",
            classes.toString(),
            info.toString(),
            main.toString()));
    Path out = directory.resolve("out");
    Process java =
        new ProcessBuilder(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "-Dmitosis.native.dir=" + directory.resolve("unpacked"),
                "-p",
                libraries + File.pathSeparator + classes,
                "--add-modules",
                "org.mitosis.natives",
                "-m",
                "m/m.Where")
            .redirectErrorStream(true)
            .redirectOutput(out.toFile())
            .start();
    assertTrue(java.waitFor(DEADLINE_S, TimeUnit.SECONDS), "no end in time");
    String said = Files.readString(out, StandardCharsets.UTF_8);
    assertEquals(0, java.exitValue(), said);
    assertTrue(said.endsWith("mitosisd"), said);
  }

  /** Failsafe hands the class path to its JVM in a jar, and its text in a property. */
  private static String classPath() {
    return System.getProperty("surefire.test.class.path", System.getProperty("java.class.path"));
  }
}
