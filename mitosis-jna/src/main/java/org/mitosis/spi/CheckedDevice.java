// SPDX-License-Identifier: Apache-2.0
package org.mitosis.spi;

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.mitosis.Backend;
import org.mitosis.Child;
import org.mitosis.Device;
import org.mitosis.Errno;
import org.mitosis.ForkHooks;
import org.mitosis.ForkRole;
import org.mitosis.MitosisException;
import org.mitosis.Operation;
import org.mitosis.PrepareOptions;
import org.mitosis.QuietJvm;
import org.mitosis.Snapshot;
import org.mitosis.SnapshotContents;

/**
 * The part of a {@link Device} that is the same for every backend: it checks arguments, serializes
 * calls, refuses them after close, and turns -errno into an exception.
 *
 * <p>A backend implements the {@code call…} methods, which return 0 or -errno. They run under this
 * object's lock and never after {@link #callClose}. Hooks run without that lock.
 */
public abstract class CheckedDevice implements Device {
  private static final int NO_ID = -1;
  private static final Pattern GID =
      Pattern.compile("(\\p{XDigit}{4}:){7}\\p{XDigit}{4}(%[0-9]{1,3})?");
  private static final Pattern TCP = Pattern.compile("(tcp|replica)://[\\x21-\\x7e]+:[0-9]{1,5}");
  private static final Pattern RDMA = Pattern.compile("rdma://[\\x21-\\x7e]+");

  private final Backend backend;
  private boolean closed;

  /** An open device of the given backend. */
  protected CheckedDevice(Backend backend) {
    this.backend = backend;
  }

  /** An empty call of the backend. */
  protected abstract int callNil();

  /** Takes a snapshot that is dropped when this device is closed. */
  protected abstract int callPrepare(int handlerId);

  /** Takes a snapshot that outlives this device. */
  protected abstract int callPreparePinned(int handlerId);

  /**
   * After a snapshot: what this process is told as its child; null in the parent, and where the
   * backend has no children of a JVM.
   */
  protected Child resumed() {
    return null;
  }

  /**
   * Sets how snapshots are taken. By default the backend knows no other way than {@link
   * PrepareOptions#DEFAULT}.
   */
  protected int callSetPrepareOptions(PrepareOptions options) {
    return options.equals(PrepareOptions.DEFAULT) ? 0 : -Errno.ENOSYS;
  }

  /** Drops a snapshot. */
  protected abstract int callUnprepare(int handlerId);

  /** Adds the snapshots of this machine to an empty list, by ascending handler id. */
  protected abstract int callList(List<Snapshot> snapshots);

  /**
   * Writes what a snapshot has to {@code contents}: threads, files, mappings, bytes. By default the
   * backend cannot.
   */
  protected int callContents(int handlerId, long[] contents) {
    return -Errno.ENOSYS;
  }

  /** Opens a session; the address is ASCII text of one of the three forms. */
  protected abstract int callConnect(int machineId, String address);

  /** One empty request to a machine. */
  protected abstract int callNilRpc(int machineId);

  /** Becomes a child of a snapshot of this machine. */
  protected abstract int callResumeLocal(int handlerId);

  /** Becomes a child of a snapshot of another machine. */
  protected abstract int callResumeRemote(int machineId, int handlerId);

  /** Releases what the device holds; called once. */
  protected abstract int callClose();

  /**
   * The backend's message for the last call, which failed: "problem" or "problem; advice"; empty if
   * there is only the errno.
   */
  protected String message() {
    return "";
  }

  @Override
  public final Backend backend() {
    return backend;
  }

  @Override
  public final synchronized void nil() {
    ensureOpen(Operation.NIL, NO_ID, NO_ID);
    int result = callNil();
    if (result < 0) {
      throw failure(Operation.NIL, -result, NO_ID, NO_ID);
    }
  }

  @Override
  public final ForkRole prepare(int handlerId) {
    return prepare(Operation.PREPARE, handlerId, () -> {});
  }

  @Override
  public final ForkRole preparePinned(int handlerId) {
    return prepare(Operation.PREPARE_PINNED, handlerId, () -> {});
  }

  @Override
  public final ForkRole prepareWhenQuiet(int handlerId, Duration deadline) {
    return prepareWhenQuiet(Operation.PREPARE, handlerId, deadline);
  }

  @Override
  public final ForkRole preparePinnedWhenQuiet(int handlerId, Duration deadline) {
    return prepareWhenQuiet(Operation.PREPARE_PINNED, handlerId, deadline);
  }

  @Override
  public final synchronized void setPrepareOptions(PrepareOptions options) {
    Objects.requireNonNull(options, "options");
    ensureOpen(Operation.PREPARE, NO_ID, NO_ID);
    int result = callSetPrepareOptions(options);
    if (result < 0) {
      throw failure(Operation.PREPARE, -result, NO_ID, NO_ID);
    }
  }

  @Override
  public final synchronized void unprepare(int handlerId) {
    requireId("handler id", handlerId);
    ensureOpen(Operation.UNPREPARE, handlerId, NO_ID);
    int result = callUnprepare(handlerId);
    if (result < 0) {
      throw failure(Operation.UNPREPARE, -result, handlerId, NO_ID);
    }
  }

  @Override
  public final synchronized List<Snapshot> list() {
    ensureOpen(Operation.LIST, NO_ID, NO_ID);
    List<Snapshot> snapshots = new ArrayList<>();
    int result = callList(snapshots);
    if (result < 0) {
      throw failure(Operation.LIST, -result, NO_ID, NO_ID);
    }
    return List.copyOf(snapshots);
  }

  @Override
  public final synchronized SnapshotContents contents(int handlerId) {
    requireId("handler id", handlerId);
    ensureOpen(Operation.LIST, handlerId, NO_ID);
    long[] contents = new long[4];
    int result = callContents(handlerId, contents);
    if (result < 0) {
      throw failure(Operation.LIST, -result, handlerId, NO_ID);
    }
    return new SnapshotContents(
        (int) contents[0], (int) contents[1], (int) contents[2], contents[3]);
  }

  @Override
  public final synchronized void connect(int machineId, String address) {
    requireId("machine id", machineId);
    Objects.requireNonNull(address, "address");
    if (Stream.of(GID, TCP, RDMA).noneMatch(form -> form.matcher(address).matches())) {
      throw new IllegalArgumentException(
          "'"
              + address
              + "' is not an address: write tcp://host:port, replica://host:port, rdma://host:port, or a"
              + " GID as eight groups of four hexadecimal digits with colons between them; after the last two %N may"
              + " follow, the number of this machine's RDMA port (nic_id)");
    }
    ensureOpen(Operation.CONNECT, NO_ID, machineId);
    int result = callConnect(machineId, address);
    if (result < 0) {
      throw failure(Operation.CONNECT, -result, NO_ID, machineId);
    }
  }

  @Override
  public final synchronized void nilRpc(int machineId) {
    requireId("machine id", machineId);
    ensureOpen(Operation.NIL_RPC, NO_ID, machineId);
    int result = callNilRpc(machineId);
    if (result < 0) {
      throw failure(Operation.NIL_RPC, -result, NO_ID, machineId);
    }
  }

  @Override
  public final synchronized void resumeLocal(int handlerId) {
    requireId("handler id", handlerId);
    ensureOpen(Operation.RESUME_LOCAL, handlerId, NO_ID);
    int result = callResumeLocal(handlerId);
    throw result < 0
        ? failure(Operation.RESUME_LOCAL, -result, handlerId, NO_ID)
        : returned(Operation.RESUME_LOCAL, handlerId, NO_ID);
  }

  @Override
  public final synchronized void resumeRemote(int machineId, int handlerId) {
    requireId("machine id", machineId);
    requireId("handler id", handlerId);
    ensureOpen(Operation.RESUME_REMOTE, handlerId, machineId);
    int result = callResumeRemote(machineId, handlerId);
    throw result < 0
        ? failure(Operation.RESUME_REMOTE, -result, handlerId, machineId)
        : returned(Operation.RESUME_REMOTE, handlerId, machineId);
  }

  @Override
  public final synchronized void close() {
    if (closed) {
      return;
    }
    closed = true;
    int result = callClose();
    if (result < 0) {
      throw failure(Operation.CLOSE, -result, NO_ID, NO_ID);
    }
  }

  private ForkRole prepareWhenQuiet(Operation operation, int handlerId, Duration deadline) {
    if (deadline.toMillis() < 1) {
      throw new IllegalArgumentException("deadline must be 1 ms or more, got " + deadline);
    }
    return prepare(operation, handlerId, () -> awaitQuiet(operation, handlerId, deadline));
  }

  private static void awaitQuiet(Operation operation, int handlerId, Duration deadline) {
    Optional<String> busy;
    try {
      busy = QuietJvm.await(deadline);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw MitosisException.of(operation, Errno.EINTR)
          .handlerId(handlerId)
          .problem("the thread was interrupted while it waited for the JIT compiler")
          .advice("clear the interrupt and prepare again")
          .build();
    }
    if (busy.isPresent()) {
      throw MitosisException.of(operation, Errno.ETIMEDOUT)
          .handlerId(handlerId)
          .problem(
              "the JIT compiler did not stand still within "
                  + deadline.toMillis()
                  + " ms: "
                  + busy.get())
          .advice(
              "let the application rest, give it a longer deadline, or prepare without waiting: its"
                  + " children then compile what is left")
          .build();
    }
  }

  private ForkRole prepare(Operation operation, int handlerId, Runnable settle) {
    requireId("handler id", handlerId);
    synchronized (this) {
      ensureOpen(operation, handlerId, NO_ID);
    }
    return ForkHooks.around(settle, () -> takeSnapshot(operation, handlerId));
  }

  private synchronized Child takeSnapshot(Operation operation, int handlerId) {
    ensureOpen(operation, handlerId, NO_ID);
    int result =
        operation == Operation.PREPARE ? callPrepare(handlerId) : callPreparePinned(handlerId);
    if (result < 0) {
      throw failure(operation, -result, handlerId, NO_ID);
    }
    return resumed();
  }

  private static void requireId(String what, int id) {
    if (id < 0) {
      throw new IllegalArgumentException(what + " must be 0 or greater, got " + id);
    }
  }

  private void ensureOpen(Operation operation, int handlerId, int machineId) {
    if (closed) {
      throw failure(operation, Errno.EBADF, handlerId, machineId, "");
    }
  }

  private MitosisException failure(Operation operation, int errno, int handlerId, int machineId) {
    return failure(operation, errno, handlerId, machineId, message());
  }

  private MitosisException failure(
      Operation operation, int errno, int handlerId, int machineId, String message) {
    return Failure.of(backend, operation, errno, message)
        .handlerId(handlerId)
        .machineId(machineId)
        .build();
  }

  /** A resume that succeeds never returns to its caller. */
  private MitosisException returned(Operation operation, int handlerId, int machineId) {
    return failure(
        operation,
        Errno.EIO,
        handlerId,
        machineId,
        "the call returned without making the caller a child; check that the loaded module is this"
            + " project's: the original does not have every operation");
  }
}
