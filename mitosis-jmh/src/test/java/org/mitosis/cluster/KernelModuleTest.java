// SPDX-License-Identifier: Apache-2.0
package org.mitosis.cluster;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.regex.MatchResult;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class KernelModuleTest {
  private static final Pattern OBJECT = Pattern.compile("(?<![\\w/])([\\w/]+)\\.o\\b");
  private static final Pattern INCLUDE = Pattern.compile("(?m)^#include \"([^\"]+)\"");

  /** Where the module's Makefile has the compiler look. */
  private static final List<String> FOLDERS = List.of("kernel/", "", "include/");

  @Test
  void theJarHasAllThatTheModuleIsBuiltFrom() throws IOException {
    Deque<String> open = new ArrayDeque<>();
    String makefile = read("kernel/Makefile");
    assertNotNull(makefile);
    OBJECT
        .matcher(makefile)
        .results()
        .map(found -> found.group(1))
        .filter(name -> !Set.of("mitosis", "mitosis_rdma", "CFLAGS_trace").contains(name))
        .forEach(name -> open.add("kernel/" + name + ".c"));
    assertFalse(open.isEmpty());

    Set<String> seen = new TreeSet<>(open);
    Set<String> missing = new TreeSet<>();
    while (!open.isEmpty()) {
      String file = open.remove();
      String text = read(file);
      if (text == null) {
        missing.add(file);
        continue;
      }
      String beside = file.substring(0, file.lastIndexOf('/') + 1);
      for (MatchResult include : INCLUDE.matcher(text).results().toList()) {
        String found = find(include.group(1), beside);
        if (found == null) {
          missing.add(include.group(1) + ", which " + file + " includes");
        } else if (seen.add(found)) {
          open.add(found);
        }
      }
    }
    assertEquals(Set.of(), missing);
  }

  /** The build starts them, and no source includes them. */
  @ParameterizedTest
  @ValueSource(strings = {"check-release", "try-feature", "features/baseline.c"})
  void whatTheBuildRunsIsThere(String file) throws IOException {
    assertNotNull(read("kernel/" + file));
    assertTrue(read("kernel/Makefile").contains(file.replaceAll("/.*", "")));
  }

  private static String find(String name, String beside) throws IOException {
    for (String folder : Stream.concat(Stream.of(beside), FOLDERS.stream()).toList()) {
      if (read(folder + name) != null) {
        return folder + name;
      }
    }
    return null;
  }

  private static String read(String file) throws IOException {
    try (InputStream in = KernelModule.class.getResourceAsStream("/kernel-module/" + file)) {
      return in == null ? null : new String(in.readAllBytes(), StandardCharsets.UTF_8);
    }
  }
}
