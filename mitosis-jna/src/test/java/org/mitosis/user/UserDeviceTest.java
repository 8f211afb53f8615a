// SPDX-License-Identifier: Apache-2.0
package org.mitosis.user;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
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
import org.mitosis.Snapshot;

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
