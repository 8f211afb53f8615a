// SPDX-License-Identifier: Apache-2.0
package org.mitosis.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.ByteArrayOutputStream;
import java.io.File;
import java.io.IOException;
import java.io.OutputStream;
import java.io.PrintStream;
import java.net.URISyntaxException;
import java.nio.charset.StandardCharsets;
import java.nio.file.AccessDeniedException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.jar.Attributes;
import java.util.jar.JarOutputStream;
import java.util.jar.Manifest;
import java.util.stream.Collectors;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.mitosis.agent.PrepareAgent;

/** Whom the command prepares, and what it says of processes that it cannot prepare. */
@Timeout(120)
class PrepareJvmCommandTest {
  private static final long DEADLINE_S = 30;

  @TempDir private Path folder;
  private final List<Process> started = new ArrayList<>();
  private final ByteArrayOutputStream out = new ByteArrayOutputStream();
  private final ByteArrayOutputStream err = new ByteArrayOutputStream();

  @AfterEach
  void endAll() throws InterruptedException, IOException {
    for (Process process : started) {
      process.destroyForcibly();
      assertTrue(process.waitFor(DEADLINE_S, TimeUnit.SECONDS));
    }
    awaitEndOfTheDaemon();
  }

  @Test
  void aJvmIsPreparedAndRunsOn() throws Exception {
    Process jvm = startJvm();
    assertEquals(0, run("--handler-id", "4244", "--when-quiet", "30", pid(jvm)), this::said);
    assertEquals("prepared process " + pid(jvm) + " as handler id 4244\n", out.toString());
    assertEquals(1, run("--handler-id", "4244", pid(jvm)), this::said);
    assertTrue(said().contains("handler id 4244"), this::said);
    assertTrue(said().contains("EEXIST"), this::said);
    assertTrue(jvm.isAlive());
  }

  @Test
  void whatCannotBePreparedIsNamed() throws Exception {
    assertRefused("there is no process 2147483647", "2147483647");
    Process other = start("sleep", "1000");
    assertRefused("is no JVM: it has no libjvm.so mapped", pid(other));
    assertTrue(other.isAlive(), "the signal of the JDK was sent to it");
    Process closed = startJvm("-XX:+DisableAttachMechanism");
    assertRefused("was started with -XX:+DisableAttachMechanism", pid(closed));
    assertRefused("is this command", Long.toString(ProcessHandle.current().pid()));
  }

  @Test
  void badArgumentsAreNamed() {
    for (List<String> arguments :
        List.of(
            List.<String>of(),
            List.of("one"),
            List.of("0"),
            List.of("5", "6"),
            List.of("--handler-id", "-1", "5"),
            List.of("--when-quiet", "0", "5"),
            List.of("5", "--handler-id"),
            List.of("--fast", "5"))) {
      assertEquals(2, run(arguments.toArray(String[]::new)), arguments::toString);
      assertTrue(said().contains("see prepare-jvm --help"), this::said);
    }
  }

  @Test
  void whoMayPrepareAProcessIsNamed() {
    IOException cause = new AccessDeniedException("/proc/7/maps");
    String others = PrepareJvmCommand.unreadable(7, "ann", "bob", cause).getMessage();
    assertTrue(others.endsWith("runs as bob: run it as ann or as root"), others);
    String roots = PrepareJvmCommand.unreadable(7, "root", "bob", cause).getMessage();
    assertTrue(roots.endsWith("runs as bob: run it as root"), roots);
    String own = PrepareJvmCommand.unreadable(7, "root", "root", cause).getMessage();
    assertTrue(own.contains("(permission denied)") && own.contains("CAP_SYS_PTRACE"), own);
  }

  private void assertRefused(String problem, String... arguments) {
    assertEquals(1, run(arguments), this::said);
    assertTrue(said().contains(problem), this::said);
    assertEquals("", out.toString());
  }

  private int run(String... arguments) {
    out.reset();
    err.reset();
    return BenchCommands.run(
            new PrepareJvmCommand(agentJar(), print(out)), print(out), print(err), arguments)
        .number();
  }

  private String said() {
    return err.toString(StandardCharsets.UTF_8);
  }

  private static PrintStream print(OutputStream stream) {
    return new PrintStream(stream, true, StandardCharsets.UTF_8);
  }

  private static String pid(Process process) {
    return Long.toString(process.pid());
  }

  /** A JVM that waits for the end of its input, and has said that it has started. */
  private Process startJvm(String... options) throws IOException {
    List<String> command =
        new ArrayList<>(
            List.of(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "-Xmx32m",
                "-Dmitosis.backend=user",
                "-Dmitosis.native.dir=" + System.getProperty("mitosis.native.dir", "")));
    command.addAll(List.of(options));
    // Nothing of this project but its main class: the agent brings the rest.
    command.addAll(List.of("-cp", classes().toString(), Waiting.class.getName()));
    Process jvm = start(command.toArray(String[]::new));
    assertEquals('s', jvm.getInputStream().read());
    return jvm;
  }

  private static Path classes() {
    try {
      return Path.of(Waiting.class.getProtectionDomain().getCodeSource().getLocation().toURI());
    } catch (URISyntaxException e) {
      throw new AssertionError(e);
    }
  }

  private Process start(String... command) throws IOException {
    ProcessBuilder builder =
        new ProcessBuilder(command).redirectError(folder.resolve("stderr").toFile());
    builder.environment().put("MITOSIS_RUNTIME_DIR", runtimeDirectory().toString());
    builder.environment().put("MITOSIS_IDLE_MS", "200");
    Process process = builder.start();
    started.add(process);
    return process;
  }

  private Path runtimeDirectory() {
    return folder.resolve("run");
  }

  /** The folder can only be removed then. */
  private void awaitEndOfTheDaemon() throws IOException, InterruptedException {
    Path file = runtimeDirectory().resolve("mitosisd.pid");
    if (!Files.exists(file)) {
      return;
    }
    String pid = Files.readString(file).strip();
    // It empties the file at its end; its entry stays until its parent has waited for it.
    for (int i = 0; i < DEADLINE_S * 100 && !pid.isEmpty(); i++) {
      if (ProcessHandle.of(Long.parseLong(pid)).isEmpty()) {
        return;
      }
      Thread.sleep(10);
      pid = Files.readString(file).strip();
    }
    assertEquals("", pid, "mitosisd has not ended");
  }

  /** A jar with nothing but a manifest, which names the agent and the class path of the tests. */
  private Path agentJar() {
    Manifest manifest = new Manifest();
    Attributes attributes = manifest.getMainAttributes();
    attributes.put(Attributes.Name.MANIFEST_VERSION, "1.0");
    attributes.putValue("Agent-Class", PrepareAgent.class.getName());
    attributes.put(
        Attributes.Name.CLASS_PATH,
        Arrays.stream(System.getProperty("java.class.path").split(File.pathSeparator))
            .map(entry -> Path.of(entry).toUri().toString())
            .collect(Collectors.joining(" ")));
    Path jar = folder.resolve("agent.jar");
    try (JarOutputStream written = new JarOutputStream(Files.newOutputStream(jar), manifest)) {
      written.flush();
    } catch (IOException e) {
      throw new AssertionError(e);
    }
    return jar;
  }

  /** The JVM that is prepared. */
  static final class Waiting {
    public static void main(String[] arguments) throws IOException {
      System.out.println("started");
      while (System.in.read() >= 0) {
        continue;
      }
    }
  }
}
