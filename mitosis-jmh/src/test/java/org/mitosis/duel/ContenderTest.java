// SPDX-License-Identifier: Apache-2.0
package org.mitosis.duel;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.util.List;
import java.util.jar.Attributes;
import java.util.jar.JarOutputStream;
import java.util.jar.Manifest;
import java.util.zip.ZipEntry;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class ContenderTest {
  @TempDir Path directory;

  @Test
  void aJarAndItsCheckoutAreTheSame() throws IOException {
    Path jar = directory.resolve("mitosis-jmh/target/benchmarks.jar");
    Files.createDirectories(jar.getParent());
    write(jar, "org.mitosis.cli.Main", "META-INF/BenchmarkList");
    assertEquals(jar, Contender.find(jar));
    assertEquals(jar, Contender.find(directory));
  }

  @Test
  void aJarOlderThanItsSourcesIsStale() throws IOException {
    Path jar = directory.resolve("mitosis-jmh/target/benchmarks.jar");
    Path source = directory.resolve("native-module/lib/a.c");
    Files.createDirectories(jar.getParent());
    Files.createDirectories(source.getParent());
    write(jar, "org.mitosis.cli.Main", "META-INF/BenchmarkList");
    Files.writeString(source, "int a;");
    Files.writeString(directory.resolve("native-module/pom.xml"), "<project/>");
    Files.setLastModifiedTime(jar, FileTime.fromMillis(System.currentTimeMillis() + 60_000));
    assertFalse(Contender.isStale(jar));
    Path test = directory.resolve("native-module/tests/test_a.c");
    Files.createDirectories(test.getParent());
    Files.setLastModifiedTime(
        Files.writeString(test, "int b;"),
        FileTime.fromMillis(System.currentTimeMillis() + 120_000));
    assertFalse(Contender.isStale(jar), "a test is not in the jar");
    Files.setLastModifiedTime(jar, FileTime.fromMillis(System.currentTimeMillis() - 60_000));
    assertTrue(Contender.isStale(jar));
    Path alone = Files.copy(jar, directory.resolve("old.jar"));
    assertFalse(Contender.isStale(alone), "nothing is known of its sources");
  }

  @Test
  void whatIsMissingIsNamed() {
    refused(directory.resolve("none"), "does not exist");
    refused(directory, "holds no built benchmarks.jar");
  }

  @Test
  void anotherFileIsNoBenchmarksJar() throws IOException {
    Path file = directory.resolve("a.jar");
    Files.writeString(file, "no jar");
    refused(file, "cannot be read as a jar");
    write(file, "org.example.Main", "META-INF/BenchmarkList");
    refused(file, "its main class is org.example.Main");
    write(file, "org.mitosis.cli.Main", "other");
    refused(file, "it lists no benchmarks");
  }

  @Test
  void bytesAreKnownByTheirHash() throws IOException {
    Path file = directory.resolve("abc");
    Files.writeString(file, "abc");
    assertEquals(
        "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad", Contender.sha256(file));
  }

  @Test
  void aBlockGetsTheOptionsOfJavaButNotTheFolderOfTheDuel() {
    assertEquals(
        List.of("-Xmx1g", "-Dmitosis.backend=user"),
        BlockRunner.inherited(
            List.of(
                "-Dmitosis.results=a", "-Xmx1g", "-Dmitosis.name=b", "-Dmitosis.backend=user")));
  }

  @Test
  void theReasonIsWhatTheHarnessSays() {
    assertEquals(
        "what; more",
        BlockRunner.reason("x\nmitosis: warning: w\nmitosis: what\nmitosis: more\ny\n"));
    assertEquals("2; 3; 4", BlockRunner.reason("1\n2\n\n3\n4\n"));
    assertEquals("it printed nothing", BlockRunner.reason("\n"));
  }

  private static void refused(Path path, String message) {
    IOException refused = assertThrows(IOException.class, () -> Contender.find(path));
    assertTrue(refused.getMessage().contains(message), refused.getMessage());
    assertTrue(refused.getMessage().contains(path.toString()), refused.getMessage());
  }

  private static void write(Path jar, String main, String entry) throws IOException {
    Manifest manifest = new Manifest();
    manifest.getMainAttributes().put(Attributes.Name.MANIFEST_VERSION, "1.0");
    manifest.getMainAttributes().put(Attributes.Name.MAIN_CLASS, main);
    try (JarOutputStream out = new JarOutputStream(Files.newOutputStream(jar), manifest)) {
      out.putNextEntry(new ZipEntry(entry));
      out.write("x".getBytes(StandardCharsets.UTF_8));
    }
  }
}
