// SPDX-License-Identifier: Apache-2.0
package org.mitosis.user;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.function.Executable;
import org.junit.jupiter.api.io.TempDir;
import org.mitosis.Backend;
import org.mitosis.DaemonOfTheTests;
import org.mitosis.Device;
import org.mitosis.Errno;
import org.mitosis.Mitosis;
import org.mitosis.MitosisException;
import org.mitosis.Operation;
import org.mitosis.nativefiles.NativeFiles;

/**
 * This JVM's machine and another one: a mitosisd with a runtime directory of its own that listens
 * on loopback.
 */
@Timeout(60)
@ExtendWith(DaemonOfTheTests.class)
class RemoteMachineTest {
  /** No other program on this machine has a session to these. */
  private static final int MACHINE = 1_900_000_001;

  private static final int UNCONNECTED = 1_900_000_002;
  private static final long DEADLINE_S = 20;

  @TempDir private Path folder;
  private final List<Process> started = new ArrayList<>();
  private Device device;

  @BeforeAll
  static void endDaemonWithoutAKey() throws IOException {
    DaemonOfTheTests.awaitEnd();
  }

  @BeforeEach
  void openWithAKey() throws IOException {
    useKey(key("key", "0123456789abcdef-the-key-of-the-tests"));
  }

  @AfterEach
  void endAll() throws InterruptedException {
    device.close();
    System.clearProperty(Mitosis.KEY_FILE_PROPERTY);
    for (Process process : started) {
      process.destroy();
      assertTrue(process.waitFor(DEADLINE_S, TimeUnit.SECONDS), "SIGTERM ends mitosisd");
    }
  }

  @Test
  void emptyRequestsReachAConnectedMachine() throws IOException {
    device.connect(MACHINE, startMachine(folder.resolve("key")));
    device.nilRpc(MACHINE);
    device.nilRpc(MACHINE);
    try (Device other = Mitosis.open(Backend.USER)) {
      other.nilRpc(MACHINE); // the session is the machine's, not the device's
    }
  }

  @Test
  void snapshotOfAnotherMachineCannotBeResumedByAJvmEither() throws IOException {
    device.connect(MACHINE, startMachine(folder.resolve("key")));
    MitosisException e =
        assertFails(Operation.RESUME_REMOTE, Errno.ENOENT, () -> device.resumeRemote(MACHINE, 7));
    assertEquals(MACHINE, e.machineId().getAsInt());
    assertEquals(7, e.handlerId().getAsInt());
  }

  @Test
  void closedPortIsRefused() throws IOException {
    int port;
    try (ServerSocket socket = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
      port = socket.getLocalPort();
    }
    MitosisException e =
        assertFails(
            Operation.CONNECT,
            Errno.ECONNREFUSED,
            () -> device.connect(MACHINE, "tcp://127.0.0.1:" + port));
    assertTrue(e.getMessage().contains("tcp://127.0.0.1:" + port), e.getMessage());
    assertTrue(e.getMessage().contains("on machine " + MACHINE), e.getMessage());
  }

  @Test
  void gidNeedsAnRdmaDevice() {
    assertFails(
        Operation.CONNECT,
        Errno.ENODEV,
        () -> device.connect(MACHINE, "fe80:0000:0000:0000:248a:0703:009c:7ca0"));
  }

  @Test
  void malformedAddressIsRefusedBeforeTheBackend() {
    for (String address :
        List.of("", "localhost", "tcp://localhost", "udp://h:1", "fe80::248a:0703:009c:7ca0")) {
      assertThrows(IllegalArgumentException.class, () -> device.connect(MACHINE, address));
    }
  }

  @Test
  void withoutASessionThereIsNothingToAsk() {
    assertFails(Operation.NIL_RPC, Errno.ENOTCONN, () -> device.nilRpc(UNCONNECTED));
    assertFails(
        Operation.RESUME_REMOTE, Errno.ENOTCONN, () -> device.resumeRemote(UNCONNECTED, 73));
  }

  @Test
  void anotherKeyIsRefused() throws IOException {
    String address = startMachine(key("other", "another-key-of-the-tests-0123456"));
    assertFails(Operation.CONNECT, Errno.EACCES, () -> device.connect(MACHINE, address));
  }

  @Test
  void keyThatOthersCanReadIsNotUsed() throws IOException {
    Path key = key("open", "0123456789abcdef-the-key-of-the-tests");
    Files.setPosixFilePermissions(key, PosixFilePermissions.fromString("rw-r--r--"));
    String address = startMachine(folder.resolve("key"));
    useKey(key);
    MitosisException e =
        assertFails(Operation.CONNECT, Errno.EACCES, () -> device.connect(MACHINE, address));
    assertTrue(e.getMessage().contains(key.toString()), e.getMessage());
  }

  @Test
  void anotherMachineAtTheAddressIsNotTakenForThisOne() throws IOException {
    String address = startMachine(folder.resolve("key"));
    assertFails(Operation.CONNECT, Errno.EINVAL, () -> device.connect(UNCONNECTED, address));
  }

  @Test
  void killedDaemonOfTheOtherMachineIsNoticed() throws Exception {
    device.connect(MACHINE, startMachine(folder.resolve("key")));
    device.nilRpc(MACHINE);
    Process daemon = started.get(0);
    daemon.destroyForcibly();
    assertTrue(daemon.waitFor(DEADLINE_S, TimeUnit.SECONDS));
    MitosisException e = assertThrows(MitosisException.class, () -> device.nilRpc(MACHINE));
    assertTrue(List.of(Errno.ECONNRESET, Errno.ENOTCONN).contains(e.errno()), e.getMessage());
    assertFalse(e.advice().isEmpty(), e.getMessage());
    assertFalse(e.getMessage().contains("open a new device"), e.getMessage());
    device.nil();
  }

  private static MitosisException assertFails(
      Operation operation, int errno, Executable executable) {
    MitosisException e = assertThrows(MitosisException.class, executable);
    assertEquals(operation, e.operation(), e.getMessage());
    assertEquals(Errno.name(errno), Errno.name(e.errno()), e.getMessage());
    assertFalse(e.advice().isEmpty(), e.getMessage());
    return e;
  }

  private void useKey(Path key) {
    if (device != null) {
      device.close();
    }
    System.setProperty(Mitosis.KEY_FILE_PROPERTY, key.toString());
    device = Mitosis.open(Backend.USER);
  }

  private Path key(String name, String content) throws IOException {
    Path key =
        Files.createFile(
            folder.resolve(name),
            PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rw-------")));
    return Files.writeString(key, content);
  }

  /** Starts the daemon of machine {@link #MACHINE}; its address. */
  private String startMachine(Path key) throws IOException {
    List<String> command =
        List.of(
            NativeFiles.path("mitosisd").toString(),
            "--foreground",
            "--runtime-dir",
            folder.resolve("run").toString(),
            "--machine-id",
            Integer.toString(MACHINE),
            "--listen",
            "tcp://127.0.0.1:0",
            "--key-file",
            key.toString());
    Process process =
        new ProcessBuilder(command).redirectError(ProcessBuilder.Redirect.INHERIT).start();
    started.add(process);
    BufferedReader output =
        new BufferedReader(new InputStreamReader(process.getInputStream(), StandardCharsets.UTF_8));
    String line = String.valueOf(output.readLine());
    String before = "mitosisd: machine " + MACHINE + " listens at ";
    assertTrue(line.startsWith(before), line);
    return line.substring(before.length());
  }
}
