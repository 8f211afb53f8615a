// SPDX-License-Identifier: Apache-2.0
package org.mitosis.user;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.FileInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.TempDir;
import org.mitosis.Availability;
import org.mitosis.Backend;
import org.mitosis.ChildJvm;
import org.mitosis.DaemonOfTheTests;
import org.mitosis.Device;
import org.mitosis.DeviceContractTest;
import org.mitosis.Errno;
import org.mitosis.Mitosis;
import org.mitosis.MitosisException;
import org.mitosis.Operation;
import org.mitosis.PrepareOptions;
import org.mitosis.Snapshot;
import org.mitosis.SnapshotContents;

/** The contract on the user backend, and what only this backend has: a daemon that can go. */
@ExtendWith(DaemonOfTheTests.class)
class UserDeviceTest extends DeviceContractTest {
  @Override
  protected Device open() {
    return Mitosis.open(Backend.USER);
  }

  @Override
  protected Backend backend() {
    return Backend.USER;
  }

  @Test
  void isAvailable() {
    Availability availability = new UserBackend().availability();
    assertTrue(availability.available(), availability::cause);
  }

  @Test
  void noJvmCanBecomeAChild() {
    int id = newId();
    assertFails(Operation.RESUME_LOCAL, Errno.ENOENT, () -> device.resumeLocal(id));
    device.prepare(id);
    MitosisException e =
        assertFails(Operation.RESUME_LOCAL, Errno.EINVAL, () -> device.resumeLocal(id));
    assertTrue(e.getMessage().contains(" threads cannot become a child"), e.getMessage());
    device.nil();
  }

  /** More than the first buffer of {@link UserDevice} holds. */
  @Test
  void listShowsManySnapshots() {
    List<Integer> ids = IntStream.range(0, 70).mapToObj(i -> newId()).toList();
    for (int id : ids) {
      try (Device one = open()) {
        one.preparePinned(id);
      }
    }
    assertEquals(ids, device.list().stream().map(Snapshot::handlerId).toList());
  }

  /** This JVM has threads, open files and memory. */
  @Test
  void contentsAreThoseOfTheParent() {
    int id = newId();
    assertFails(Operation.LIST, Errno.ENOENT, () -> device.contents(id));
    device.prepare(id);
    SnapshotContents contents = device.contents(id);
    assertTrue(contents.threads() > 5, contents.toString());
    assertTrue(contents.files() > 0, contents.toString());
    assertTrue(contents.mappings() > 50, contents.toString());
    assertTrue(contents.bytes() > 50L << 20, contents.toString());
  }

  /** A file that is left out counts no more; the next options bring it back. */
  @Test
  void openFileIsLeftOut(@TempDir Path folder) throws Exception {
    Path path = Files.writeString(folder.resolve("kept"), "open");
    try (InputStream open = new FileInputStream(path.toFile())) {
      int id = newId();
      device.setPrepareOptions(PrepareOptions.DEFAULT.withLeftOut(Set.of(numberOf(path))));
      device.prepare(id);
      final int without = device.contents(id).files();
      device.unprepare(id);
      device.setPrepareOptions(PrepareOptions.DEFAULT.withStopWithin(Duration.ofSeconds(60)));
      device.prepare(id);
      assertEquals(without + 1, device.contents(id).files());
      assertEquals('o', open.read());
    }
  }

  @Test
  void threadsAreStoppedByAnotherSignal() {
    int id = newId();
    device.setPrepareOptions(PrepareOptions.DEFAULT.withStopSignal(50));
    device.prepare(id);
    assertTrue(device.contents(id).threads() > 5);
  }

  private static int numberOf(Path path) throws IOException {
    try (DirectoryStream<Path> numbers = Files.newDirectoryStream(Path.of("/proc/self/fd"))) {
      for (Path number : numbers) {
        if (Files.isSymbolicLink(number)
            && Files.readSymbolicLink(number).equals(path.toRealPath())) {
          return Integer.parseInt(number.getFileName().toString());
        }
      }
    }
    throw new AssertionError(path + " is not open");
  }

  @Test
  void killedDaemonIsNamedAndTheNextDeviceWorks() throws Exception {
    device.prepare(newId());
    ProcessHandle daemon = DaemonOfTheTests.process().orElseThrow();
    assertTrue(daemon.destroyForcibly());
    daemon.onExit().get(10, TimeUnit.SECONDS);

    MitosisException e = assertFails(Operation.NIL, Errno.ECONNRESET, device::nil);
    assertTrue(e.advice().contains("open a new one"), e.getMessage());
    assertFails(Operation.PREPARE, Errno.ECONNRESET, () -> other.prepare(newId()));
    assertFails(Operation.LIST, Errno.ECONNRESET, other::list);

    try (Device fresh = open()) {
      assertEquals(List.of(), fresh.list());
      fresh.prepare(newId());
    }
  }

  @Test
  void snapshotGoesWithItsProcess() throws Exception {
    int id = newId();
    int pinned = newId();
    ChildJvm child =
        ChildJvm.start(
            Prepares.class,
            List.of("-Dmitosis.native.dir=" + System.getProperty("mitosis.native.dir", "")),
            Map.of(),
            String.valueOf(id),
            String.valueOf(pinned));
    assertEquals(List.of("prepared"), child.lines());
    long deadlineNs = System.nanoTime() + TimeUnit.SECONDS.toNanos(10);
    while (device.list().stream().anyMatch(snapshot -> snapshot.handlerId() == id)) {
      assertTrue(System.nanoTime() < deadlineNs, "the snapshot of a dead process is still there");
      Thread.sleep(10);
    }
    device.unprepare(pinned);
  }

  /** Prepares two snapshots, one pinned, and dies without closing anything. */
  static final class Prepares {
    public static void main(String[] arguments) {
      Mitosis.open(Backend.USER).prepare(Integer.parseInt(arguments[0]));
      Mitosis.open(Backend.USER).preparePinned(Integer.parseInt(arguments[1]));
      System.out.println("prepared");
      System.out.flush();
      Runtime.getRuntime().halt(0);
    }
  }
}
