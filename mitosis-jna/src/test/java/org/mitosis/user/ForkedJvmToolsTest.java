// SPDX-License-Identifier: Apache-2.0
package org.mitosis.user;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeFalse;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.TempDir;
import org.mitosis.Backend;
import org.mitosis.DaemonOfTheTests;
import org.mitosis.Device;
import org.mitosis.Mitosis;

/** Children of a JVM that tools, agents and further snapshots reach. */
@Timeout(value = 90, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
@ExtendWith(DaemonOfTheTests.class)
class ForkedJvmToolsTest {
  private static final int HANDLER_ID = ThreadLocalRandom.current().nextInt(1 << 20, 1 << 30);
  private static final long DEADLINE_S = 30;

  /** Seconds by which a parent's clocks are ahead of its children's machine, or behind it. */
  private static final int AHEAD_S = 1_000_000;

  private static final int BEHIND_S = -60;

  private final List<Process> processes = new ArrayList<>();
  @TempDir private Path folder;

  @AfterEach
  void endAll() throws InterruptedException {
    for (Process each : processes) {
      each.destroyForcibly();
      assertTrue(each.waitFor(DEADLINE_S, TimeUnit.SECONDS), each.info() + " ends");
    }
  }

  @Test
  void childPreparesItselfAgainAndItsChildIsRightWhereClocksAreAhead() throws Exception {
    startParent(unshare(BEHIND_S));
    Process child = startChild(Children.of(HANDLER_ID), "prepare");
    assertEquals(List.of("its child: right", "right"), lines(child));
    assertEquals(PreparedJvm.RIGHT, child.waitFor());
  }

  @Test
  void toolReachesAChildWithATmpOfItsOwnAndLeavesTheParentAlone() throws Exception {
    assumeFalse(
        Path.of("").toAbsolutePath().startsWith("/tmp"),
        "needs a tree that is not in /tmp, which the child does not see");
    Process parent = startParent();
    assertFalse(jcmd(parent.pid()).contains(PreparedJvm.CHILD_PROPERTY));
    Path socket = Path.of("/tmp/.java_pid" + parent.pid());
    assertTrue(Files.exists(socket), socket + " is the parent's, to be attached to");
    Process child = startChild(Children.of(HANDLER_ID).own(Children.Own.TMP), "stay");
    String first = String.valueOf(reader(child).readLine());
    assumeRights(List.of(first));
    assertEquals("stays", first);
    assertTrue(jcmd(pidHere(child, parent.pid())).contains(PreparedJvm.CHILD_PROPERTY));
    child.getOutputStream().close();
    assertEquals(PreparedJvm.RIGHT, child.waitFor());
    assertTrue(Files.exists(socket), socket + " stays when a child ends");
    assertFalse(jcmd(parent.pid()).contains(PreparedJvm.CHILD_PROPERTY));
  }

  @Test
  void childOfAJvmWithADebugAgentIsRefusedBesideItsParent() throws Exception {
    startParent(
        "-agentlib:jdwp=transport=dt_socket,server=y,suspend=n,quiet=y,address=127.0.0.1:0");
    Process child = startChild(Children.of(HANDLER_ID), "check");
    List<String> said = lines(child);
    assertEquals(1, child.waitFor(), said::toString);
    assertTrue(said.toString().contains("its address is in use"), said::toString);
  }

  @Test
  void childOfAJvmThatRecordsItselfGetsAFileOfItsOwnOrIsRefused() throws Exception {
    Path recording = folder.resolve("recording");
    startParent(
        "-XX:StartFlightRecording:settings=default",
        "-XX:FlightRecorderOptions:repository=" + recording);
    Process child = startChild(Children.of(HANDLER_ID), "check");
    List<String> said = lines(child);
    assertEquals(1, child.waitFor(), said::toString);
    assertTrue(said.toString().contains(recording.toString()), said::toString);
    child = startChild(Children.of(HANDLER_ID).files(Children.OpenForWriting.PRIVATE), "check");
    said = lines(child);
    assertEquals(PreparedJvm.RIGHT, child.waitFor(), said::toString);
  }

  @Test
  void childOfAJvmThatIsTheFirstProcessOfANamespaceIsRightWhereClocksAreBehind() throws Exception {
    assumeTrue(
        start(new ProcessBuilder("unshare", "--pid", "--fork", "true")).waitFor() == 0,
        "needs root, for a PID namespace");
    // A daemon that the parent starts would be of its namespace, and see no process outside.
    try (Device ofTheDaemon = Mitosis.open(Backend.USER)) {
      List<String> within = new ArrayList<>(unshare(AHEAD_S));
      within.addAll(List.of("--pid", "--mount-proc"));
      startParent(within);
      Process child = startChild(Children.of(HANDLER_ID), "check");
      List<String> said = lines(child);
      assertEquals(PreparedJvm.RIGHT, child.waitFor(), said::toString);
      assertEquals(Backend.USER, ofTheDaemon.backend());
    }
  }

  @Test
  void childrenThatTheSnapshotForksAreRight() throws Exception {
    startParent();
    for (Children.Mode mode : List.of(Children.Mode.CLONE, Children.Mode.REPLICA)) {
      Process child = startChild(Children.of(HANDLER_ID).mode(mode), "check");
      List<String> said = lines(child);
      assumeRights(said);
      assertEquals(PreparedJvm.RIGHT, child.waitFor(), said::toString);
    }
  }

  /** The threads of a JVM that are in native code can keep its end waiting. */
  @Test
  void childExitsAboutAsSoonAsItsParent() throws Exception {
    Process parent = startParent();
    Process child = startChild(Children.of(HANDLER_ID), "exit");
    String said = String.valueOf(reader(child).readLine());
    assumeRights(List.of(said));
    long childNs = exitNs(child, said);
    assertEquals(PreparedJvm.RIGHT, child.waitFor());
    parent.getOutputStream().close();
    long parentNs = exitNs(parent, String.valueOf(reader(parent).readLine()));
    assertEquals(0, parent.waitFor());
    // However busy the machine is: a JVM that waits for a thread does so for 10 s and longer.
    assertTrue(childNs < parentNs + TimeUnit.SECONDS.toNanos(5), childNs + ", " + parentNs);
  }

  private static long exitNs(Process process, String said) throws InterruptedException {
    assertEquals(PreparedJvm.EXITS, said);
    long startNs = System.nanoTime();
    assertTrue(process.waitFor(DEADLINE_S, TimeUnit.SECONDS), "it exits");
    return System.nanoTime() - startNs;
  }

  /** The heap of ZGC is one memfd, which older ones map three times: docs/jvm.md. */
  @Test
  void aHeapThatIsAFileInMemoryIsRefusedByItsName() throws Exception {
    assumeTrue(ForkedJvmTest.hasCollector("Z"), "needs a JDK with ZGC");
    String said = startParentUntil("prepared|.*java_heap.*", List.of(), "-XX:+UseZGC");
    if (said.equals("prepared")) {
      Process child = startChild(Children.of(HANDLER_ID), "check");
      said = lines(child).toString();
      assertEquals(1, child.waitFor(), said);
      assertTrue(said.contains("/memfd:java_heap (deleted)) cannot be made again"), said);
    } else {
      assertTrue(said.contains(" MiB of memory without a file, up to '/memfd:java_heap"), said);
    }
  }

  /** What starts a parent with clocks that differ, if this machine has them for it. */
  private List<String> unshare(int clocksS) throws Exception {
    List<String> plain = List.of("unshare", "--fork", "--kill-child");
    List<String> timed = new ArrayList<>(plain);
    timed.addAll(List.of("--time", "--monotonic", "" + clocksS, "--boottime", "" + clocksS));
    List<String> trial = new ArrayList<>(timed);
    trial.add("true");
    return start(new ProcessBuilder(trial)).waitFor() == 0 ? timed : plain;
  }

  private Process startParent(String... options) throws IOException {
    return startParent(List.of(), options);
  }

  private Process startParent(List<String> within, String... options) throws IOException {
    assertEquals("prepared", startParentUntil("prepared", within, options));
    return processes.get(processes.size() - 1);
  }

  /** Starts one; the line that it says last, the first that matches. */
  private String startParentUntil(String pattern, List<String> within, String... options)
      throws IOException {
    byte[] content = new byte[8192];
    content[0] = 'm';
    content[content.length - 1] = 'z';
    Path file = Files.write(folder.resolve("mapped"), content);
    List<String> command = new ArrayList<>(within);
    command.add(tool("java"));
    command.addAll(
        List.of("-Xmx64m", "-XX:+PerfDisableSharedMem", "--enable-native-access=ALL-UNNAMED"));
    command.addAll(List.of(options));
    command.addAll(List.of("-cp", System.getProperty("java.class.path")));
    command.addAll(List.of(PreparedJvm.class.getName(), "" + HANDLER_ID, file.toString()));
    Process parent = start(new ProcessBuilder(command));
    // A recording is announced before.
    List<String> said = new ArrayList<>();
    BufferedReader output = reader(parent);
    String line = "";
    while (!line.matches(pattern)) {
      line = output.readLine();
      assertNotNull(line, said::toString);
      said.add(line);
    }
    return line;
  }

  private Process startChild(Children children, String order) throws IOException {
    Process child = start(children.builder());
    try {
      child.getOutputStream().write((order + "\n").getBytes(StandardCharsets.UTF_8));
      child.getOutputStream().flush();
    } catch (IOException e) {
      // It has been refused, and says so.
    }
    return child;
  }

  private Process start(ProcessBuilder builder) throws IOException {
    // Each of them has the JVM print a line of its own.
    builder
        .environment()
        .keySet()
        .removeAll(List.of("JAVA_TOOL_OPTIONS", "JDK_JAVA_OPTIONS", "_JAVA_OPTIONS"));
    Process process = builder.redirectErrorStream(true).start();
    processes.add(process);
    return process;
  }

  private static BufferedReader reader(Process process) {
    return new BufferedReader(
        new InputStreamReader(process.getInputStream(), StandardCharsets.UTF_8));
  }

  /** All that it says until its end. */
  private static List<String> lines(Process child) {
    List<String> lines = reader(child).lines().toList();
    assumeRights(lines);
    return lines;
  }

  /** Skips the test if its process may not become a child here. */
  private static void assumeRights(List<String> lines) {
    assumeFalse(
        lines.stream()
            .anyMatch(
                line ->
                    line.contains("needs a PID namespace")
                        || line.contains("need root or CAP_SYS_PTRACE")),
        () -> "needs root, for userfaultfd and a PID namespace: " + lines);
  }

  private static String tool(String name) {
    return Path.of(System.getProperty("java.home"), "bin", name).toString();
  }

  private String jcmd(long pid) throws IOException {
    Process jcmd =
        start(new ProcessBuilder(tool("jcmd"), Long.toString(pid), "VM.system_properties"));
    String said = new String(jcmd.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
    assertTrue(said.contains("java.home"), said);
    return said;
  }

  /** The process id here of a child, which in its own namespace has its parent's. */
  private static long pidHere(Process child, long parents) throws IOException {
    for (ProcessHandle each : child.descendants().toList()) {
      String status = Files.readString(Path.of("/proc", Long.toString(each.pid()), "status"));
      if (status.lines().anyMatch(line -> line.matches("NSpid:.*\\s" + parents))) {
        return each.pid();
      }
    }
    throw new AssertionError(child + " has no descendant that is process " + parents + " inside");
  }
}
