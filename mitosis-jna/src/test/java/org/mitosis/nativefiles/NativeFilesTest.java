// SPDX-License-Identifier: Apache-2.0
package org.mitosis.nativefiles;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.mitosis.ChildJvm;
import org.mitosis.Errno;
import org.mitosis.MitosisException;

/** Native files are unpacked privately and completely, by JVMs that know nothing of each other. */
@Timeout(120)
class NativeFilesTest {
  private static final Set<String> NAMES =
      Set.of(
          "libmitosis-preload.so",
          "libmitosis.so",
          "mitosis-child",
          "mitosis-connect",
          "mitosis-criu-target",
          "mitosis-launcher",
          "mitosis-noop",
          "mitosis-parent",
          "mitosis-prepare",
          "mitosis-rdma-floor",
          "mitosis-rdma-selftest",
          "mitosis-replica",
          "mitosis-unprepare",
          "mitosisd");
  private static final int NOBODY = 65534;

  @TempDir private Path folder;

  @Test
  void folderAndFilesAreForThisUserOnly() throws Exception {
    Path base = folder.resolve("deep/base");
    Path unpacked = unpackTo(base);
    assertEquals("rwx------", mode(base));
    assertEquals("rwx------", mode(unpacked));
    assertEquals(NAMES, names(unpacked));
    for (String name : NAMES) {
      assertEquals("rwx------", mode(unpacked.resolve(name)), name);
      assertArrayEquals(packed(name), Files.readAllBytes(unpacked.resolve(name)), name);
    }
  }

  @Test
  void unknownNameIsRefused() {
    IllegalArgumentException e =
        assertThrows(IllegalArgumentException.class, () -> NativeFiles.path("../mitosisd"));
    assertTrue(e.getMessage().contains("mitosis-parent"), e.getMessage());
  }

  @Test
  void severalJvmsUnpackAtOnce() throws Exception {
    Path base = folder.resolve("base");
    List<ChildJvm> children = new ArrayList<>();
    for (int i = 0; i < 4; i++) {
      children.add(start(Map.of(), "-Dmitosis.native.dir=" + base));
    }
    Set<List<String>> said = new HashSet<>();
    for (ChildJvm child : children) {
      said.add(child.lines());
    }
    assertEquals(1, said.size(), said::toString);
    Path unpacked = Path.of(said.iterator().next().get(0));
    assertEquals(NAMES, names(unpacked));
    for (String name : NAMES) {
      assertArrayEquals(packed(name), Files.readAllBytes(unpacked.resolve(name)), name);
    }
  }

  @Test
  void changedFileIsReplacedAndNeverWrittenTo() throws Exception {
    Path base = folder.resolve("base");
    Path library = unpackTo(base).resolve("libmitosis.so");
    byte[] content = Files.readAllBytes(library);
    content[content.length / 2] ^= 1;
    Files.write(library, content);
    // What a process has mapped meanwhile.
    Path held = Files.createLink(folder.resolve("held"), library);

    unpackTo(base);
    assertArrayEquals(packed("libmitosis.so"), Files.readAllBytes(library));
    assertArrayEquals(content, Files.readAllBytes(held));
    assertEquals(NAMES, names(library.getParent()));
  }

  @Test
  void intactFilesStayAsTheyAre() throws Exception {
    Path base = folder.resolve("base");
    Path program = unpackTo(base).resolve("mitosisd");
    Object before = Files.getAttribute(program, "unix:ino");
    unpackTo(base);
    assertEquals(before, Files.getAttribute(program, "unix:ino"));
  }

  @Test
  void fileWithoutExecutePermissionIsRepaired() throws Exception {
    Path base = folder.resolve("base");
    Path program = unpackTo(base).resolve("mitosis-parent");
    Files.setPosixFilePermissions(program, PosixFilePermissions.fromString("rw-------"));
    unpackTo(base);
    assertEquals("rwx------", mode(program));
  }

  @Test
  void folderThatOthersCanWriteIsRefused() throws Exception {
    Path base = folder.resolve("base");
    Path unpacked = unpackTo(base);
    Files.setPosixFilePermissions(unpacked, PosixFilePermissions.fromString("rwxrwxrwx"));
    assertRefused(base, unpacked + " can be written by other users");
    Files.setPosixFilePermissions(unpacked, PosixFilePermissions.fromString("rwx------"));
    Files.setPosixFilePermissions(base, PosixFilePermissions.fromString("rwxrwx---"));
    assertRefused(base, base + " can be written by other users");
  }

  @Test
  void linkInPlaceOfTheFolderIsRefused() throws Exception {
    Path unpacked = unpackTo(folder.resolve("base"));
    Path link = Files.createSymbolicLink(folder.resolve("link"), unpacked.getParent());
    assertRefused(link, link + " is a link");
    Path base = Files.createDirectory(folder.resolve("base2"));
    Path inner = Files.createSymbolicLink(base.resolve(unpacked.getFileName()), unpacked);
    assertRefused(base, inner + " is a link");
  }

  @Test
  void folderOfAnotherUserIsRefused() throws Exception {
    assumeRoot("to give a folder to another user");
    Path base = folder.resolve("base");
    Path unpacked = unpackTo(base);
    Files.setAttribute(unpacked, "unix:uid", NOBODY);
    assertRefused(base, unpacked + " belongs to another user (uid " + NOBODY + ")");
    Files.setAttribute(unpacked, "unix:uid", 0);
    Files.setAttribute(base, "unix:uid", NOBODY);
    assertRefused(base, base + " belongs to another user (uid " + NOBODY + ")");
  }

  @Test
  void fileSystemWithoutExecutionIsNamedWithTheWayOut() throws Exception {
    try (Mount mount = Mount.of(Files.createDirectory(folder.resolve("noexec")), "noexec")) {
      Path base = mount.path.resolve("base");
      List<String> lines = start(Map.of(), "-Dmitosis.native.dir=" + base).lines();
      assertEquals(2, lines.size(), lines::toString);
      assertEquals("EACCES", lines.get(0));
      assertTrue(
          lines.get(1).startsWith("open failed: programs cannot be run from " + base),
          lines::toString);
      assertTrue(
          lines
              .get(1)
              .endsWith(
                  "set -Dmitosis.native.dir=DIR to a directory of this user, on a file system that"
                      + " is not mounted noexec"),
          lines::toString);
    }
  }

  @Test
  void fullFileSystemIsNamed() throws Exception {
    try (Mount mount = Mount.of(Files.createDirectory(folder.resolve("full")), "size=8k")) {
      Path base = mount.path.resolve("base");
      List<String> lines = start(Map.of(), "-Dmitosis.native.dir=" + base).lines();
      assertEquals("ENOSPC", lines.get(0), lines::toString);
      assertTrue(lines.get(1).contains("the file system is full"), lines::toString);
      try (Stream<Path> left = Files.walk(base)) {
        assertTrue(left.noneMatch(file -> file.toString().endsWith(".new")), "left behind");
      }
    }
  }

  @Test
  void homeThatCannotBeWrittenIsLeftForTheTemporaryFolder() throws Exception {
    try (Mount mount = Mount.of(Files.createDirectory(folder.resolve("home")), "ro")) {
      Path temporary = Files.createDirectory(folder.resolve("tmp"));
      List<String> lines =
          start(
                  Map.of("XDG_CACHE_HOME", ""),
                  "-Duser.home=" + mount.path,
                  "-Djava.io.tmpdir=" + temporary,
                  "-Duser.name=ada")
              .lines();
      assertEquals(temporary.resolve("mitosis-ada"), Path.of(lines.get(0)).getParent());
    }
  }

  @Test
  void cacheOfTheUserIsTheUsualPlace() throws Exception {
    List<String> ofHome =
        start(Map.of("XDG_CACHE_HOME", "relative"), "-Duser.home=" + folder).lines();
    assertEquals(folder.resolve(".cache/mitosis"), Path.of(ofHome.get(0)).getParent());
    Path cache = folder.resolve("xdg");
    List<String> ofXdg =
        start(Map.of("XDG_CACHE_HOME", cache.toString()), "-Duser.home=" + folder).lines();
    assertEquals(cache.resolve("mitosis"), Path.of(ofXdg.get(0)).getParent());
  }

  private static ChildJvm start(Map<String, String> environment, String... options)
      throws Exception {
    return ChildJvm.start(Unpack.class, List.of(options), environment);
  }

  private static Path unpackTo(Path base) throws Exception {
    List<String> lines = start(Map.of(), "-Dmitosis.native.dir=" + base).lines();
    assertEquals(1, lines.size(), lines::toString);
    Path unpacked = Path.of(lines.get(0));
    assertEquals(base, unpacked.getParent());
    return unpacked;
  }

  private static void assertRefused(Path base, String problem) throws Exception {
    List<String> lines = start(Map.of(), "-Dmitosis.native.dir=" + base).lines();
    assertEquals("EACCES", lines.get(0), lines::toString);
    assertTrue(lines.get(1).contains(problem), lines::toString);
    assertTrue(lines.get(1).contains("-Dmitosis.native.dir=DIR"), lines::toString);
  }

  private static String mode(Path path) throws Exception {
    return PosixFilePermissions.toString(Files.getPosixFilePermissions(path));
  }

  private static Set<String> names(Path directory) throws Exception {
    Set<String> names = new HashSet<>();
    try (Stream<Path> files = Files.list(directory)) {
      files.forEach(file -> names.add(file.getFileName().toString()));
    }
    return names;
  }

  private static byte[] packed(String name) throws Exception {
    try (InputStream in = NativeFiles.class.getResourceAsStream("/linux-x86-64/" + name)) {
      byte[] content = in.readAllBytes();
      assertNotEquals(0, content.length);
      return content;
    }
  }

  private static void assumeRoot(String why) throws Exception {
    assumeTrue(
        Files.getAttribute(Path.of("/proc/self"), "unix:uid").equals(0), "needs root " + why);
  }

  /** Prints the folder that the files are in; or the errno's name and the message. */
  static final class Unpack {
    public static void main(String[] arguments) {
      try {
        System.out.println(NativeFiles.path("mitosisd").getParent());
      } catch (MitosisException e) {
        System.out.println(Errno.name(e.errno()));
        System.out.println(e.getMessage());
      }
    }
  }

  /** A tmpfs with the given option; skips the test where it cannot be mounted. */
  private record Mount(Path path) implements AutoCloseable {
    static Mount of(Path path, String option) throws Exception {
      assumeRoot("to mount a tmpfs with " + option);
      assumeTrue(
          run("mount", "-t", "tmpfs", "-o", option, "tmpfs", path.toString()) == 0,
          "needs the right to mount a tmpfs with " + option);
      return new Mount(path);
    }

    @Override
    public void close() throws IOException {
      assertEquals(0, run("umount", path.toString()));
    }

    private static int run(String... command) throws IOException {
      return new ProcessBuilder(command)
          .redirectErrorStream(true)
          .redirectOutput(ProcessBuilder.Redirect.DISCARD)
          .start()
          .onExit()
          .orTimeout(20, TimeUnit.SECONDS)
          .join()
          .exitValue();
    }
  }
}
