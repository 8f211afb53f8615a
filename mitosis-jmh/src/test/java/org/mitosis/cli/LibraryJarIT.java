// SPDX-License-Identifier: Apache-2.0
package org.mitosis.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Set;
import java.util.TreeSet;
import java.util.jar.JarFile;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import java.util.zip.ZipEntry;
import org.junit.jupiter.api.Test;

/** The jar that a dependent gets has the library only; benchmarks.jar has all. */
class LibraryJarIT {
  private static final Path CLASSES = Path.of("target", "classes");
  private static final Set<String> HARNESS =
      Set.of(
          "kernel-module",
          "org/mitosis/benchmark",
          "org/mitosis/cli",
          "org/mitosis/cluster",
          "org/mitosis/duel",
          "org/mitosis/fixture/jmh_generated");
  private static final Set<String> LISTS =
      Set.of("META-INF/BenchmarkList", "META-INF/CompilerHints");

  @Test
  void theLibraryHasAllButTheHarness() throws IOException {
    Set<String> built = built();
    assertTrue(built.stream().anyMatch(LibraryJarIT::isOfHarness), built::toString);
    Set<String> expected =
        built.stream()
            .filter(name -> !isOfHarness(name))
            .collect(Collectors.toCollection(TreeSet::new));
    assertEquals(expected, ours("library.jar"));
  }

  @Test
  void benchmarksHasAll() throws IOException {
    Set<String> without = built();
    without.removeAll(entries("benchmarks.jar"));
    assertEquals(Set.of(), without);
  }

  @Test
  void aJarWithSourcesUnderTheGplSaysSo() throws IOException {
    assertEquals("Apache-2.0 AND GPL-2.0-only", licence("benchmarks.jar"));
    assertFalse(underTheGpl("benchmarks.jar").isEmpty());
    assertEquals(Set.of(), underTheGpl("library.jar"));
  }

  private static String licence(String jar) throws IOException {
    try (JarFile file = new JarFile(System.getProperty(jar))) {
      return file.getManifest().getMainAttributes().getValue("Bundle-License");
    }
  }

  /** The files with an SPDX header that leaves no other choice. */
  private static Set<String> underTheGpl(String jar) throws IOException {
    Set<String> found = new TreeSet<>();
    try (JarFile file = new JarFile(System.getProperty(jar))) {
      for (ZipEntry entry : file.stream().filter(one -> !one.isDirectory()).toList()) {
        if (!entry.getName().endsWith(".class")) {
          byte[] start = file.getInputStream(entry).readNBytes(200);
          String text = new String(start, StandardCharsets.ISO_8859_1);
          if (text.contains("SPDX-License-Identifier: GPL-2.0\n")
              || text.contains("SPDX-License-Identifier: GPL-2.0 */")) {
            found.add(entry.getName());
          }
        }
      }
    }
    return found;
  }

  private static boolean isOfHarness(String name) {
    return LISTS.contains(name)
        || HARNESS.stream().anyMatch(folder -> name.startsWith(folder + "/"));
  }

  private static Set<String> built() throws IOException {
    try (Stream<Path> files = Files.walk(CLASSES)) {
      return files
          .filter(Files::isRegularFile)
          .map(file -> CLASSES.relativize(file).toString())
          .collect(Collectors.toCollection(TreeSet::new));
    }
  }

  /** Without what Maven adds. */
  private static Set<String> ours(String jar) throws IOException {
    Set<String> entries = entries(jar);
    entries.removeIf(
        name -> name.equals(JarFile.MANIFEST_NAME) || name.startsWith("META-INF/maven/"));
    return entries;
  }

  private static Set<String> entries(String jar) throws IOException {
    try (JarFile file = new JarFile(System.getProperty(jar))) {
      return file.stream()
          .filter(entry -> !entry.isDirectory())
          .map(ZipEntry::getName)
          .collect(Collectors.toCollection(TreeSet::new));
    }
  }
}
