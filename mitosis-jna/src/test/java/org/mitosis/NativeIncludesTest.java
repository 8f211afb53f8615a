// SPDX-License-Identifier: Apache-2.0
package org.mitosis;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * The {@code #include "…"} lines of native-module. The kernel module and user space share
 * include/uapi/ and proto/ without proto/user/, and nothing else. Within user space each folder
 * includes only what {@link #LOWER} names. In a folder of {@link #WITHOUT_CIRCLES} no file includes
 * itself by way of others; a .c file and its header count as one.
 */
class NativeIncludesTest {
  /** Headers below uapi/linux/ are those of the kernel. */
  private static final Pattern INCLUDE =
      Pattern.compile("^\\s*#\\s*include\\s*(?:\"([^\"]+)\"|<((?:uapi(?!/linux/)|proto)/[^>]+)>)");

  private static final Path KERNEL = Path.of("kernel");
  private static final Path PROTO_USER = Path.of("proto/user");
  private static final List<Path> SHARED = List.of(Path.of("include/uapi"), Path.of("proto"));

  /** What the sources of a folder may include besides their own folder and the shared files. */
  private static final Map<Path, List<Path>> LOWER =
      Map.of(
          PROTO_USER,
          List.of(),
          Path.of("local"),
          List.of(),
          Path.of("paging"),
          paths("local", "proto/user", "include"),
          Path.of("lib"),
          paths("paging", "local", "proto/user", "include"),
          Path.of("daemon"),
          paths("paging", "local", "proto/user", "include"));

  private static final List<Path> WITHOUT_CIRCLES = List.of(KERNEL);

  /** The file of a program's {@code main}, which defines nothing for other files. */
  private static final Pattern MAIN = Pattern.compile("main\\.[chS]");

  @TempDir private Path folder;

  @Test
  void noFolderIncludesWhatIsAboveIt() throws IOException {
    assertEquals(List.of(), offences(NativeModule.ROOT));
  }

  @Test
  void offencesAreFound() throws IOException {
    write("include/uapi/mitosis.h", "#include <linux/types.h>");
    write("include/libmitosis.h", "#include \"uapi/mitosis.h\"");
    write("proto/wire.h", "");
    write("proto/user/key.h", "#include \"proto/wire.h\"");
    write("local/l.h", "");
    write("paging/p.h", "#include \"local/l.h\"\n#include \"proto/user/key.h\"");
    write("lib/a.h", "#include \"libmitosis.h\"\n#include \"paging/p.h\"");
    write("daemon/d.h", "#include \"paging/p.h\"");
    write("daemon/main.h", "");
    write("daemon/main.c", "#include \"daemon/d.h\"");
    write("helpers/h.c", "#include \"lib/a.h\"");
    write("kernel/k.h", "#include <linux/mm.h>\n#include \"uapi/mitosis.h\"");
    assertEquals(List.of(), offences(folder));

    write("kernel/k.c", "#include \"k.h\"\n#include \"lib/a.h\"");
    write("kernel/l.c", "  # include \"../lib/a.h\"");
    write("kernel/m.c", "#include \"libmitosis.h\"");
    write("kernel/n.c", "#include \"proto/user/key.h\"");
    write("lib/b.c", "#include \"kernel/k.h\"");
    write("lib/c.c", "#include \"nowhere.h\"");
    write("proto/wire.c", "#include \"lib/a.h\"");
    write("proto/check.c", "#include \"proto/user/key.h\"");
    write("proto/user/key.c", "#include \"local/l.h\"");
    write("local/l.c", "#include \"paging/p.h\"");
    write("paging/p.c", "#include \"lib/a.h\"");
    write("paging/q.c", "#include \"daemon/d.h\"");
    write("daemon/d.c", "#include \"daemon/main.h\"");
    write("daemon/e.c", "#include \"lib/a.h\"");
    assertEquals(
        List.of(
            "daemon/d.c includes daemon/main.h",
            "daemon/e.c includes lib/a.h",
            "kernel/k.c includes lib/a.h",
            "kernel/l.c includes lib/a.h",
            "kernel/m.c includes include/libmitosis.h",
            "kernel/n.c includes proto/user/key.h",
            "lib/b.c includes kernel/k.h",
            "lib/c.c includes nowhere.h, which is not there",
            "local/l.c includes paging/p.h",
            "paging/p.c includes lib/a.h",
            "paging/q.c includes daemon/d.h",
            "proto/check.c includes proto/user/key.h",
            "proto/user/key.c includes local/l.h",
            "proto/wire.c includes lib/a.h"),
        offences(folder));
  }

  @Test
  void foldersHaveNoCircle() throws IOException {
    for (Path folder : WITHOUT_CIRCLES) {
      assertEquals(List.of(), circle(NativeModule.ROOT, folder));
    }
  }

  @Test
  void circlesAreFound() throws IOException {
    write("kernel/a.h", "");
    write("kernel/a.c", "#include \"a.h\"\n#include \"b.h\"");
    write("kernel/b.h", "#include \"uapi/mitosis.h\"");
    write("kernel/b.c", "#include \"b.h\"\n#include \"c.h\"");
    write("kernel/c.h", "");
    write("include/uapi/mitosis.h", "");
    assertEquals(List.of(), circle(folder, KERNEL));

    write("kernel/c.c", "#include \"a.h\"");
    assertEquals(List.of("a", "b", "c"), circle(folder, KERNEL));
  }

  /** The modules of the folder that reach themselves by their includes. */
  private static List<String> circle(Path root, Path folder) throws IOException {
    Map<String, Set<String>> reached = new TreeMap<>();
    for (Path source : sources(root)) {
      if (folder.equals(source.getParent())) {
        Set<String> targets = reached.computeIfAbsent(module(source), name -> new TreeSet<>());
        for (String name : includes(root.resolve(source))) {
          resolve(root, source, name)
              .filter(target -> folder.equals(target.getParent()))
              .map(NativeIncludesTest::module)
              .filter(target -> !target.equals(module(source)))
              .ifPresent(targets::add);
        }
      }
    }
    // By one more include in each pass, until no pass adds any.
    boolean grows = true;
    while (grows) {
      grows = false;
      for (Set<String> targets : reached.values()) {
        for (String target : List.copyOf(targets)) {
          grows |= targets.addAll(reached.get(target));
        }
      }
    }
    return reached.keySet().stream().filter(name -> reached.get(name).contains(name)).toList();
  }

  /** A .c file and its header. */
  private static String module(Path file) {
    return file.getFileName().toString().replaceFirst("\\.[chS]$", "");
  }

  private static List<Path> sources(Path root) throws IOException {
    try (Stream<Path> files = Files.walk(root)) {
      return files
          .filter(file -> file.toString().matches(".*\\.[chS]"))
          .map(root::relativize)
          .filter(file -> !file.startsWith("target"))
          .sorted()
          .toList();
    }
  }

  private static List<String> includes(Path file) throws IOException {
    return Files.readAllLines(file).stream()
        .map(INCLUDE::matcher)
        .filter(Matcher::find)
        .map(include -> include.group(1) == null ? include.group(2) : include.group(1))
        .toList();
  }

  private static List<String> offences(Path root) throws IOException {
    List<String> offences = new ArrayList<>();
    for (Path source : sources(root)) {
      for (String name : includes(root.resolve(source))) {
        Optional<Path> target = resolve(root, source, name);
        if (target.isEmpty()) {
          offences.add(source + " includes " + name + ", which is not there");
        } else if (!mayInclude(source, target.get())) {
          offences.add(source + " includes " + target.get());
        }
      }
    }
    return offences;
  }

  /** As the compiler finds it: beside the file, or below native-module/ or its include/. */
  private static Optional<Path> resolve(Path root, Path source, String name) {
    return Stream.of(
            root.resolve(source).resolveSibling(name),
            root.resolve(name),
            root.resolve("include").resolve(name))
        .map(Path::normalize)
        .filter(Files::isRegularFile)
        .map(root::relativize)
        .findFirst();
  }

  private static boolean mayInclude(Path source, Path target) {
    if (MAIN.matcher(target.getFileName().toString()).matches()) {
      return false;
    }
    if (isShared(target)) {
      return true;
    }
    if (isShared(source)) {
      return false;
    }
    for (Path folder : LOWER.keySet()) {
      if (source.startsWith(folder)) {
        return target.startsWith(folder) || LOWER.get(folder).stream().anyMatch(target::startsWith);
      }
    }
    return source.startsWith(KERNEL) == target.startsWith(KERNEL);
  }

  private static boolean isShared(Path file) {
    return SHARED.stream().anyMatch(file::startsWith) && !file.startsWith(PROTO_USER);
  }

  private static List<Path> paths(String... names) {
    return Stream.of(names).map(Path::of).toList();
  }

  private void write(String name, String content) throws IOException {
    Path file = folder.resolve(name);
    Files.createDirectories(file.getParent());
    Files.writeString(file, content);
  }
}
