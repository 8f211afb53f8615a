// SPDX-License-Identifier: Apache-2.0
package org.mitosis;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;

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
import java.util.regex.MatchResult;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * The {@code #include "…"} lines of native-module. The kernel module and user space share
 * include/uapi/ and proto/ without proto/user/, and nothing else. Within user space each folder
 * includes only what {@link #LOWER} names. In a folder of {@link #WITHOUT_CIRCLES} no file includes
 * itself by way of others; a .c file and its header count as one. The file that defines a program's
 * {@code main} is the top of the program: no file includes its header, and it defines no other
 * function for them.
 */
class NativeIncludesTest {
  /** Headers below uapi/linux/ are those of the kernel. */
  private static final Pattern INCLUDE =
      Pattern.compile("^\\s*#\\s*include\\s*(?:\"([^\"]+)\"|<((?:uapi(?!/linux/)|proto)/[^>]+)>)");

  /** The head of a function: what stands before an opening brace that has a line of its own. */
  private static final Pattern FUNCTION =
      Pattern.compile("(?m)^[a-z_][^\\n;={}#]*(?:\\n[^\\n;={}#]+)*(?=\\n\\{)");

  private static final Pattern MAIN = Pattern.compile("int\\s+main\\(");

  private static final Path KERNEL = Path.of("kernel");
  private static final Path TESTS = Path.of("tests");
  private static final Path PROTO_USER = Path.of("proto/user");
  private static final List<Path> SHARED = List.of(Path.of("include/uapi"), Path.of("proto"));

  /** What the sources of a folder may include besides their own folder and the shared files. */
  private static final Map<Path, List<Path>> LOWER =
      Map.of(
          PROTO_USER,
          paths("local"),
          Path.of("local"),
          List.of(),
          Path.of("paging"),
          paths("local", "proto/user", "include"),
          Path.of("lib"),
          paths("paging", "local", "proto/user", "include"),
          Path.of("daemon"),
          paths("paging", "local", "proto/user", "include"));

  private static final List<Path> WITHOUT_CIRCLES =
      paths("kernel", "kernel/rdma", "daemon", "paging", "lib", "local", "proto", "proto/user");

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
    write("daemon/main.c", "#include \"daemon/d.h\"\n\nint main(void)\n{\n\treturn 0;\n}\n");
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
    write("proto/user/key.c", "#include \"local/l.h\"\n#include \"paging/p.h\"");
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
            "proto/user/key.c includes paging/p.h",
            "proto/wire.c includes lib/a.h"),
        offences(folder));
  }

  @Test
  void nothingCallsTheFileOfMain() throws IOException {
    assertEquals(List.of(), functionsBesideMain(NativeModule.ROOT));
  }

  @Test
  void functionsBesideMainAreFound() throws IOException {
    String main = "int main(int argc, char **argv)\n{\n\treturn argc;\n}\n";
    String hidden = "static void\ndie(int status,\n    int line)\n{\n\texit(status);\n}\n\n";
    write("daemon/main.c", "/* Ends. */\n" + hidden + main);
    write("daemon/loop.c", "int loop_run(void)\n{\n\treturn 0;\n}\n");
    write("tests/test_a.c", "void stop(void)\n{\n}\n\n" + main);
    assertEquals(List.of(), functionsBesideMain(folder));

    write("daemon/main.c", hidden + "void daemon_close(int fd)\n{\n\tclose(fd);\n}\n\n" + main);
    write("helpers/h.c", "long\nclock_ns(void)\n{\n\treturn 0;\n}\n\n" + main);
    assertEquals(
        List.of("daemon/main.c: void daemon_close(int fd)", "helpers/h.c: long clock_ns(void)"),
        functionsBesideMain(folder));
  }

  @Test
  void foldersHaveNoCircle() throws IOException {
    for (Path folder : WITHOUT_CIRCLES) {
      assertEquals(List.of(), circle(NativeModule.ROOT, folder), folder.toString());
      assertFalse(modules(NativeModule.ROOT, folder).isEmpty(), folder.toString());
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
    write("daemon/a.h", "#include \"daemon/b.h\"");
    write("daemon/b.c", "#include \"daemon/b.h\"");
    write("daemon/b.h", "");
    assertEquals(List.of(), circle(folder, KERNEL));
    assertEquals(List.of(), circle(folder, Path.of("daemon")));

    write("kernel/c.c", "#include \"a.h\"");
    assertEquals(List.of("a", "b", "c"), circle(folder, KERNEL));
    write("daemon/b.c", "#include \"daemon/b.h\"\n#include \"daemon/a.h\"");
    assertEquals(List.of("a", "b"), circle(folder, Path.of("daemon")));
  }

  /** The modules of the folder that reach themselves by their includes. */
  private static List<String> circle(Path root, Path folder) throws IOException {
    Map<String, Set<String>> reached = modules(root, folder);
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

  /** The modules of the folder, each with those of the folder that it includes. */
  private static Map<String, Set<String>> modules(Path root, Path folder) throws IOException {
    Map<String, Set<String>> modules = new TreeMap<>();
    for (Path source : sources(root)) {
      if (folder.equals(source.getParent())) {
        Set<String> targets = modules.computeIfAbsent(module(source), name -> new TreeSet<>());
        for (String name : includes(root.resolve(source))) {
          resolve(root, source, name)
              .filter(target -> folder.equals(target.getParent()))
              .map(NativeIncludesTest::module)
              .filter(target -> !target.equals(module(source)))
              .ifPresent(targets::add);
        }
      }
    }
    return modules;
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

  /** The functions that a file with a {@code main} defines for other files. */
  private static List<String> functionsBesideMain(Path root) throws IOException {
    List<String> found = new ArrayList<>();
    for (Path source : sources(root)) {
      if (!source.startsWith(TESTS)) {
        List<String> functions = functions(root.resolve(source));
        if (functions.stream().anyMatch(NativeIncludesTest::isMain)) {
          functions.stream()
              .filter(function -> !isMain(function) && !function.startsWith("static"))
              .forEach(function -> found.add(source + ": " + function.replaceAll("\\s+", " ")));
        }
      }
    }
    return found;
  }

  private static List<String> functions(Path file) throws IOException {
    return FUNCTION.matcher(Files.readString(file)).results().map(MatchResult::group).toList();
  }

  private static boolean isMain(String function) {
    return MAIN.matcher(function).lookingAt();
  }

  /** A .c file with a {@code main}, and its header. */
  private static Set<Path> programs(Path root) throws IOException {
    Set<Path> programs = new TreeSet<>();
    for (Path source : sources(root)) {
      if (functions(root.resolve(source)).stream().anyMatch(NativeIncludesTest::isMain)) {
        programs.add(source);
        programs.add(source.resolveSibling(module(source) + ".h"));
      }
    }
    return programs;
  }

  private static List<String> offences(Path root) throws IOException {
    List<String> offences = new ArrayList<>();
    Set<Path> programs = programs(root);
    for (Path source : sources(root)) {
      for (String name : includes(root.resolve(source))) {
        Optional<Path> target = resolve(root, source, name);
        if (target.isEmpty()) {
          offences.add(source + " includes " + name + ", which is not there");
        } else if (programs.contains(target.get()) || !mayInclude(source, target.get())) {
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
