// SPDX-License-Identifier: Apache-2.0
package org.mitosis.cluster;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The script on this machine, where {@code true} plays Java. */
class BootstrapTest {
  private static final String HAVE = Bootstrap.MARK + "have\n";
  private static final String COPIED = Bootstrap.MARK + "need\n" + HAVE;

  /** As {@code /tmp}: all may write, and only remove what is theirs. */
  private static final int STICKY = 01777;

  @TempDir private Path folder;
  private Path jar;

  @BeforeEach
  void makeJar() throws IOException {
    jar = Files.writeString(Files.createDirectory(folder.resolve("here")).resolve("jar"), "a jar");
  }

  private String run(Path projectPath) throws IOException, InterruptedException {
    ClusterConfig config =
        ConfigFiles.config(
            Map.of(
                "PARENT_HOST",
                "p",
                "CHILD_HOSTS",
                "c1",
                "PROJECT_PATH",
                projectPath.toString(),
                "JAVA",
                "true"),
            "test");
    Process process =
        new ProcessBuilder(Bootstrap.of(jar).command(config))
            .redirectInput(jar.toFile())
            .redirectError(ProcessBuilder.Redirect.INHERIT)
            .start();
    String words = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
    assertTrue(process.waitFor(20, TimeUnit.SECONDS));
    return words;
  }

  private static Path make(Path path, int mode) throws IOException {
    Files.createDirectories(path);
    Files.setAttribute(path, "unix:mode", mode);
    return path;
  }

  private static String unsafe(Path at) throws IOException {
    return Bootstrap.MARK + "unsafe " + at.toRealPath() + "\n";
  }

  @Test
  void copiesTheJarOnce() throws Exception {
    Path project = folder.resolve("new/project");
    assertEquals(COPIED, run(project));
    assertEquals("a jar", Files.readString(project.resolve(Bootstrap.JAR)));
    assertEquals(HAVE, run(project));
    Path link = Files.createSymbolicLink(folder.resolve("link"), project);
    assertEquals(HAVE, run(link));
  }

  @Test
  void takesAnOwnFolderInOneLikeTmp() throws Exception {
    assertEquals(COPIED, run(make(folder.resolve("tmp"), STICKY).resolve("project")));
  }

  @Test
  void refusesAFolderThatAllCanWriteTo() throws Exception {
    Path project = make(folder.resolve("tmp"), STICKY);
    assertEquals(unsafe(project), run(project));
    assertFalse(Files.exists(project.resolve(Bootstrap.JAR)));
    Path open = make(folder.resolve("open"), 0777);
    assertEquals(unsafe(open), run(open.resolve("project")));
    assertFalse(Files.exists(open.resolve("project").resolve(Bootstrap.JAR)));
  }

  @Test
  void refusesAnotherUsersNameInAFolderThatAllCanWriteTo() throws Exception {
    assumeTrue(Files.getAttribute(Path.of("/proc/self"), "unix:uid").equals(0), "needs root");
    Path tmp = make(folder.resolve("tmp"), STICKY);
    Path theirs = make(tmp.resolve("theirs"), 0755);
    Files.setAttribute(theirs, "unix:uid", 65534);
    assertEquals(unsafe(tmp), run(theirs));
    assertEquals(unsafe(tmp), run(theirs.resolve("project")));
    // Where only its owner could make it, a folder may be another user's.
    Path administrators = make(folder.resolve("administrators"), 0755);
    Files.setAttribute(administrators, "unix:uid", 65534);
    assertEquals(COPIED, run(administrators.resolve("project")));
  }
}
