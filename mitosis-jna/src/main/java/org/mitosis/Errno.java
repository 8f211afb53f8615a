// SPDX-License-Identifier: Apache-2.0
package org.mitosis;

import java.util.Map;

/** The errno values that operations fail with, as Linux numbers them on x86-64. */
public final class Errno {
  /** Operation not permitted. */
  public static final int EPERM = 1;

  /** No such snapshot, device or file. */
  public static final int ENOENT = 2;

  /** A wait that was interrupted. */
  public static final int EINTR = 4;

  /** Input or output error. */
  public static final int EIO = 5;

  /** No such device or address. */
  public static final int ENXIO = 6;

  /** A program that this machine cannot run. */
  public static final int ENOEXEC = 8;

  /** The device is closed. */
  public static final int EBADF = 9;

  /** No process could be created. */
  public static final int EAGAIN = 11;

  /** Not enough memory. */
  public static final int ENOMEM = 12;

  /** Permission denied. */
  public static final int EACCES = 13;

  /** An address outside the memory of the caller or the snapshot. */
  public static final int EFAULT = 14;

  /** The device already holds a snapshot. */
  public static final int EBUSY = 16;

  /** The handler id is in use. */
  public static final int EEXIST = 17;

  /** No such device: the kernel module is not loaded. */
  public static final int ENODEV = 19;

  /** A component of a path is not a directory. */
  public static final int ENOTDIR = 20;

  /** The argument or the caller does not fit the operation. */
  public static final int EINVAL = 22;

  /** The file behind the device does not know the operation. */
  public static final int ENOTTY = 25;

  /** The registry of snapshots is full. */
  public static final int ENOSPC = 28;

  /** A file system without write access. */
  public static final int EROFS = 30;

  /** A path that is too long, as that of a socket with more than 107 bytes. */
  public static final int ENAMETOOLONG = 36;

  /** The backend does not have the operation. */
  public static final int ENOSYS = 38;

  /** The other side, or the parent's kernel, is of another kind or release. */
  public static final int EPROTO = 71;

  /** The descriptor of the snapshot is impossible. */
  public static final int EBADMSG = 74;

  /** A message of another length than the protocol has. */
  public static final int EMSGSIZE = 90;

  /** The other side speaks another version of the protocol. */
  public static final int EPROTONOSUPPORT = 93;

  /** The daemon or machine has gone. */
  public static final int ECONNRESET = 104;

  /** No session to the machine is open. */
  public static final int ENOTCONN = 107;

  /** The deadline has passed. */
  public static final int ETIMEDOUT = 110;

  /** The machine does not accept connections. */
  public static final int ECONNREFUSED = 111;

  /** No route to the machine. */
  public static final int EHOSTUNREACH = 113;

  private record Entry(String name, String meaning) {}

  private static final Map<Integer, Entry> ENTRIES =
      Map.ofEntries(
          Map.entry(EPERM, new Entry("EPERM", "operation not permitted")),
          Map.entry(ENOENT, new Entry("ENOENT", "no such snapshot, device or file")),
          Map.entry(EINTR, new Entry("EINTR", "interrupted")),
          Map.entry(EIO, new Entry("EIO", "input or output error")),
          Map.entry(ENXIO, new Entry("ENXIO", "no such device or address")),
          Map.entry(ENOEXEC, new Entry("ENOEXEC", "this machine cannot run the program")),
          Map.entry(EBADF, new Entry("EBADF", "the device is closed")),
          Map.entry(EAGAIN, new Entry("EAGAIN", "no process could be created")),
          Map.entry(ENOMEM, new Entry("ENOMEM", "not enough memory")),
          Map.entry(EACCES, new Entry("EACCES", "permission denied")),
          Map.entry(EFAULT, new Entry("EFAULT", "no memory at that address")),
          Map.entry(EBUSY, new Entry("EBUSY", "the device already holds a snapshot")),
          Map.entry(EEXIST, new Entry("EEXIST", "the handler id is in use")),
          Map.entry(ENODEV, new Entry("ENODEV", "no such device")),
          Map.entry(ENOTDIR, new Entry("ENOTDIR", "not a directory")),
          Map.entry(EINVAL, new Entry("EINVAL", "invalid argument or caller")),
          Map.entry(ENOTTY, new Entry("ENOTTY", "not a device of the mitosis module")),
          Map.entry(ENOSPC, new Entry("ENOSPC", "no room for a further snapshot")),
          Map.entry(EROFS, new Entry("EROFS", "read-only file system")),
          Map.entry(ENAMETOOLONG, new Entry("ENAMETOOLONG", "the path is too long")),
          Map.entry(ENOSYS, new Entry("ENOSYS", "this backend does not have the operation")),
          Map.entry(EPROTO, new Entry("EPROTO", "the other side is of another kind or release")),
          Map.entry(EBADMSG, new Entry("EBADMSG", "the descriptor is impossible")),
          Map.entry(EMSGSIZE, new Entry("EMSGSIZE", "a message has another length")),
          Map.entry(
              EPROTONOSUPPORT,
              new Entry("EPROTONOSUPPORT", "the other side speaks another version")),
          Map.entry(
              ECONNRESET, new Entry("ECONNRESET", "the other side has closed the connection")),
          Map.entry(ENOTCONN, new Entry("ENOTCONN", "no session to that machine is open")),
          Map.entry(ETIMEDOUT, new Entry("ETIMEDOUT", "the deadline has passed")),
          Map.entry(ECONNREFUSED, new Entry("ECONNREFUSED", "connection refused")),
          Map.entry(EHOSTUNREACH, new Entry("EHOSTUNREACH", "no route to the machine")));

  private Errno() {}

  /** The symbolic name, such as {@code EEXIST}; {@code errno 123} for one not listed here. */
  public static String name(int errno) {
    Entry entry = ENTRIES.get(errno);
    return entry == null ? "errno " + errno : entry.name();
  }

  /** What it means for an operation of a {@link Device}, without a full stop. */
  public static String meaning(int errno) {
    Entry entry = ENTRIES.get(errno);
    return entry == null ? "the system refused" : entry.meaning();
  }
}
