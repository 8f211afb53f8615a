// SPDX-License-Identifier: Apache-2.0
package org.mitosis;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.FileInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.Set;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.function.Executable;
import org.junit.jupiter.api.io.TempDir;

/** What every backend's device does. A subclass names the backend and opens its devices. */
@Timeout(60)
public abstract class DeviceContractTest {
  /** Somewhere of our own: others may use the machine's kernel device meanwhile. */
  private static final AtomicInteger NEXT_ID =
      new AtomicInteger(ThreadLocalRandom.current().nextInt(1 << 20, 1 << 30));

  private static final int OWN_PID = (int) ProcessHandle.current().pid();

  protected Device device;
  protected Device other;

  /** Opens a device, or skips the test and says what is missing. */
  protected abstract Device open();

  protected abstract Backend backend();

  protected static int newId() {
    return NEXT_ID.getAndIncrement();
  }

  protected static MitosisException assertFails(
      Operation operation, int errno, Executable executable) {
    MitosisException e = assertThrows(MitosisException.class, executable);
    assertEquals(operation, e.operation(), e.getMessage());
    assertEquals(Errno.name(errno), Errno.name(e.errno()), e.getMessage());
    assertNotEquals("", e.advice(), e.getMessage());
    assertTrue(e.getMessage().endsWith("; " + e.advice()), e.getMessage());
    assertFalse(e.getMessage().endsWith("."), e.getMessage());
    return e;
  }

  @BeforeEach
  void openTwo() {
    device = open();
    other = open();
  }

  @AfterEach
  void closeAndDropWhatIsPinned() {
    if (device == null) {
      return;
    }
    device.close();
    other.close();
    try (Device last = open()) {
      last.list().stream()
          .filter(snapshot -> snapshot.ownerPid() == OWN_PID)
          .forEach(snapshot -> last.unprepare(snapshot.handlerId()));
    }
  }

  @Test
  void namesItsBackend() {
    assertEquals(backend(), device.backend());
  }

  @Test
  void nilAnswers() {
    device.nil();
    device.nil();
  }

  @Test
  void preparedSnapshotIsListed() {
    int id = newId();
    Instant before = Instant.now();
    device.prepare(id);
    Snapshot snapshot = find(id).orElseThrow();
    assertFalse(snapshot.pinned());
    assertEquals(OWN_PID, snapshot.ownerPid());
    Duration late = Duration.between(before, snapshot.preparedAt());
    assertTrue(late.abs().compareTo(Duration.ofMinutes(1)) < 0, late::toString);
    assertEquals(
        backend() == Backend.USER,
        snapshot.shadowPid() > 0 && ProcessHandle.of(snapshot.shadowPid()).isPresent());
  }

  @Test
  void pinnedSnapshotIsListedAsPinned() {
    int id = newId();
    device.preparePinned(id);
    assertTrue(find(id).orElseThrow().pinned());
  }

  @Test
  void listIsSortedByHandlerId() {
    int low = newId();
    int high = newId();
    device.prepare(high);
    other.prepare(low);
    List<Integer> ids = device.list().stream().map(Snapshot::handlerId).toList();
    assertTrue(ids.containsAll(List.of(low, high)), ids::toString);
    assertEquals(ids.stream().sorted().toList(), ids);
  }

  @Test
  void handlerIdInUseIsRefused() {
    int id = newId();
    device.prepare(id);
    for (Executable again :
        List.<Executable>of(() -> other.prepare(id), () -> other.preparePinned(id))) {
      MitosisException e = assertThrows(MitosisException.class, again);
      assertEquals(Errno.EEXIST, e.errno(), e.getMessage());
      assertEquals(OptionalInt.of(id), e.handlerId());
      assertTrue(e.getMessage().contains("unprepare"), e.getMessage());
    }
    other.prepare(newId());
  }

  @Test
  void secondPrepareOnOneDeviceIsRefused() {
    int first = newId();
    int second = newId();
    device.prepare(first);
    assertFails(Operation.PREPARE, Errno.EBUSY, () -> device.prepare(second));
    assertFails(Operation.PREPARE_PINNED, Errno.EBUSY, () -> device.preparePinned(second));
    assertTrue(find(first).isPresent());
    assertTrue(find(second).isEmpty());
  }

  @Test
  void unknownHandlerIdCannotBeUnprepared() {
    int id = newId();
    MitosisException e = assertFails(Operation.UNPREPARE, Errno.ENOENT, () -> device.unprepare(id));
    assertEquals(OptionalInt.of(id), e.handlerId());
  }

  @Test
  void unpreparedDeviceAndHandlerIdAreFreeAgain() {
    int id = newId();
    device.prepare(id);
    device.unprepare(id);
    assertTrue(find(id).isEmpty());
    device.prepare(id);
    device.unprepare(id);
    other.prepare(id);
    assertEquals(1, device.list().stream().filter(s -> s.handlerId() == id).count());
  }

  @Test
  void snapshotOfAnotherDeviceCanBeUnprepared() {
    int id = newId();
    device.prepare(id);
    other.unprepare(id);
    assertTrue(find(id).isEmpty());
    device.prepare(newId());
  }

  @Test
  void snapshotGoesWithItsDevice() {
    int id = newId();
    device.prepare(id);
    device.close();
    other.prepare(id);
  }

  @Test
  void pinnedSnapshotOutlivesItsDevice() {
    int id = newId();
    device.preparePinned(id);
    device.close();
    assertFails(Operation.PREPARE, Errno.EEXIST, () -> other.prepare(id));
    assertTrue(other.list().stream().anyMatch(s -> s.handlerId() == id && s.pinned()));
    other.unprepare(id);
    assertFails(Operation.UNPREPARE, Errno.ENOENT, () -> other.unprepare(id));
  }

  @Test
  void largestHandlerIdIsAnId() {
    device.prepare(Integer.MAX_VALUE);
    assertTrue(find(Integer.MAX_VALUE).isPresent());
  }

  @Test
  void negativeIdsAreRefusedBeforeTheBackend() {
    List<Executable> calls =
        List.of(
            () -> device.prepare(-1),
            () -> device.preparePinned(-1),
            () -> device.unprepare(Integer.MIN_VALUE),
            () -> device.connect(-1, "tcp://localhost:7000"),
            () -> device.nilRpc(-1),
            () -> device.resumeLocal(-1),
            () -> device.resumeRemote(-1, 0),
            () -> device.resumeRemote(0, -1));
    for (Executable call : calls) {
      assertThrows(IllegalArgumentException.class, call);
    }
  }

  @Test
  void closedDeviceRefusesEveryCall() {
    device.close();
    device.close();
    assertFails(Operation.NIL, Errno.EBADF, device::nil);
    assertFails(Operation.PREPARE, Errno.EBADF, () -> device.prepare(1));
    assertFails(Operation.PREPARE_PINNED, Errno.EBADF, () -> device.preparePinned(1));
    assertFails(Operation.UNPREPARE, Errno.EBADF, () -> device.unprepare(1));
    assertFails(Operation.LIST, Errno.EBADF, device::list);
    assertFails(Operation.CONNECT, Errno.EBADF, () -> device.connect(1, "tcp://localhost:7000"));
    assertFails(Operation.NIL_RPC, Errno.EBADF, () -> device.nilRpc(1));
    assertFails(Operation.RESUME_LOCAL, Errno.EBADF, () -> device.resumeLocal(1));
    assertFails(Operation.RESUME_REMOTE, Errno.EBADF, () -> device.resumeRemote(1, 1));
  }

  @Test
  void severalThreadsMayUseOneDevice() throws Exception {
    int id = newId();
    ExecutorService threads = Executors.newFixedThreadPool(4);
    try {
      Callable<Integer> prepare =
          () -> {
            device.nil();
            try {
              device.prepare(id);
              return 0;
            } catch (MitosisException e) {
              return e.errno();
            }
          };
      List<Future<Integer>> results =
          threads.invokeAll(IntStream.range(0, 8).mapToObj(i -> prepare).toList());
      int prepared = 0;
      for (Future<Integer> result : results) {
        int errno = result.get();
        assertTrue(errno == 0 || errno == Errno.EBUSY, () -> Errno.name(errno));
        prepared += errno == 0 ? 1 : 0;
      }
      assertEquals(1, prepared);
    } finally {
      threads.shutdownNow();
      assertTrue(threads.awaitTermination(30, TimeUnit.SECONDS));
    }
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

  private Optional<Snapshot> find(int id) {
    return device.list().stream().filter(snapshot -> snapshot.handlerId() == id).findFirst();
  }
}
