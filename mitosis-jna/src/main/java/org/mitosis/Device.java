// SPDX-License-Identifier: Apache-2.0
package org.mitosis;

import java.time.Duration;
import java.util.List;

/**
 * One caller's access to remote fork: an open device.
 *
 * <p>A device holds at most one snapshot. A snapshot is dropped when its device is closed or its
 * process ends; a pinned one stays until it is unprepared. Handler ids are 0 or greater and unique
 * on their machine; the same holds for machine ids in a cluster.
 *
 * <p>Every operation fails with a {@link MitosisException} that names the operation, the ids, the
 * errno and what to do. Arguments out of range are an {@link IllegalArgumentException}. A device
 * may be used by several threads; its calls are carried out one after the other.
 */
public interface Device extends AutoCloseable {
  /** The backend that carries out this device's operations. */
  Backend backend();

  /**
   * Enters the backend and returns: the noise floor of every other operation.
   *
   * @throws MitosisException if the backend has gone
   */
  void nil();

  /**
   * Takes a snapshot of the calling process: its memory, copy-on-write, its threads and its open
   * files. It is dropped when this device is closed.
   *
   * <p>Hooks run before and after it ({@link Mitosis#onPrepare}, {@link Mitosis#onParent}). In each
   * child the call returns as well, after the hooks of the child ({@link Mitosis#onChild}). The
   * parent's devices are closed in a child: to prepare itself, it opens a new one.
   *
   * @param handlerId the snapshot's key on this machine, 0 or greater
   * @return the process that it returns in
   * @throws HookException if a hook failed, here or in a child
   * @throws MitosisException EEXIST if the handler id is in use, EBUSY if this device already holds
   *     a snapshot, EINVAL if the backend cannot snapshot a process of several threads, ENOSPC if
   *     the machine holds as many snapshots as it can, ENOMEM or EAGAIN if no shadow can be made,
   *     ECONNRESET if the daemon has gone
   */
  ForkRole prepare(int handlerId);

  /**
   * Like {@link #prepare}, but the snapshot stays until it is unprepared (the original's
   * PreparePing).
   *
   * @param handlerId the snapshot's key on this machine, 0 or greater
   * @return the process that it returns in
   * @throws MitosisException as {@link #prepare} does
   */
  ForkRole preparePinned(int handlerId);

  /**
   * Like {@link #prepare}, but first brings the JVM to rest: the hooks before it run, then garbage
   * is collected, the heap returns free memory to the kernel, and the JIT compiler finishes its
   * queue. Children of such a snapshot need fewer pages and do not compile methods that were queued
   * in their parent.
   *
   * <p>Other threads continue meanwhile; while they work, the compiler may find new work.
   *
   * @param handlerId the snapshot's key on this machine, 0 or greater
   * @param deadline for the compiler to stand still, 1 ms or more
   * @return the process that it returns in
   * @throws MitosisException ETIMEDOUT if the compiler still works at the deadline; no snapshot is
   *     taken, and the hooks after it have run. Else as {@link #prepare} does
   */
  ForkRole prepareWhenQuiet(int handlerId, Duration deadline);

  /**
   * Like {@link #prepareWhenQuiet}, but the snapshot stays until it is unprepared.
   *
   * @param handlerId the snapshot's key on this machine, 0 or greater
   * @param deadline for the compiler to stand still, 1 ms or more
   * @return the process that it returns in
   * @throws MitosisException as {@link #prepareWhenQuiet} does
   */
  ForkRole preparePinnedWhenQuiet(int handlerId, Duration deadline);

  /**
   * Sets how this device takes its later snapshots.
   *
   * @param options all of them
   * @throws MitosisException ENOSYS for others than {@link PrepareOptions#DEFAULT} on the kernel
   *     backend with a module that has only the original's commands: it copies memory and the
   *     calling thread
   */
  void setPrepareOptions(PrepareOptions options);

  /**
   * Drops a snapshot of this machine, no matter which device prepared it.
   *
   * @param handlerId the snapshot's key
   * @throws MitosisException ENOENT if there is no such snapshot, EPERM if it belongs to another
   *     user, ETIMEDOUT or ECONNRESET if the daemon does not answer or has gone
   */
  void unprepare(int handlerId);

  /**
   * The snapshots of this machine, by ascending handler id.
   *
   * @throws MitosisException ECONNRESET if the daemon has gone, ENOTTY if the kernel module is the
   *     original one, which cannot list
   */
  List<Snapshot> list();

  /**
   * The threads, open files and memory of a snapshot of this machine. Unlike {@link #list()}, this
   * sends a request to the snapshot's shadow.
   *
   * @param handlerId the snapshot's key
   * @throws MitosisException ENOENT if there is no such snapshot, EPERM if it belongs to another
   *     user, ETIMEDOUT if its shadow does not answer, ENOSYS on the kernel backend with a module
   *     that has only the original's commands
   */
  SnapshotContents contents(int handlerId);

  /**
   * Opens the session to another machine; must precede {@link #nilRpc} and {@link #resumeRemote}.
   *
   * @param machineId the machine's id, 0 or greater
   * @param address where it is: {@code tcp://host:port}, {@code rdma://host[:port]}, or a GID as
   *     the original writes it (39 characters); or {@code replica://host:port} (user backend),
   *     where another machine is that has a session to it and passes the pages of its snapshots on.
   *     After the forms of RDMA {@code %N} may follow, the original's nic_id: which of this
   *     machine's RDMA ports to use, counted from 0 as {@code doctor} lists them; without it, and
   *     on the kernel backend, the route decides
   * @throws MitosisException with the errno of the connection attempt
   */
  void connect(int machineId, String address);

  /**
   * Sends one empty request to a connected machine and waits for its answer.
   *
   * @param machineId the machine's id, as given to {@link #connect}
   * @throws MitosisException ENOTCONN if no session to it is open
   */
  void nilRpc(int machineId);

  /**
   * Replaces the calling process by a child of a snapshot on this machine. Returns only by an
   * exception; the child goes on right after its parent's prepare.
   *
   * @param handlerId the snapshot's key
   * @throws MitosisException ENOENT if there is no such snapshot, EINVAL if the caller has several
   *     threads (as every JVM has)
   */
  void resumeLocal(int handlerId);

  /**
   * Replaces the calling process by a child of a snapshot on a connected machine. Returns only by
   * an exception; the child goes on right after its parent's prepare.
   *
   * @param machineId the machine's id, as given to {@link #connect}
   * @param handlerId the snapshot's key on that machine
   * @throws MitosisException ENOTCONN if no session is open, ENOENT if there is no such snapshot,
   *     EINVAL if the caller has several threads (as every JVM has)
   */
  void resumeRemote(int machineId, int handlerId);

  /** Closes the device and drops its snapshot, unless that is pinned. Closing twice is harmless. */
  @Override
  void close();
}
