// SPDX-License-Identifier: Apache-2.0
package org.mitosis.spi;

import org.mitosis.Backend;
import org.mitosis.Errno;
import org.mitosis.Operation;

/** What to do about a failed operation, by errno. */
final class Advice {
  private Advice() {}

  /** One message without a full stop; empty if there is nothing more to say than the errno does. */
  static String of(Backend backend, Operation operation, int errno) {
    return switch (errno) {
      case Errno.EBADF -> "open a new device";
      case Errno.EEXIST -> "choose another handler id or unprepare this one";
      case Errno.EBUSY -> "unprepare the snapshot of this device, or open another device";
      case Errno.ENOENT -> notFound(operation);
      case Errno.EPERM -> notPermitted(operation);
      case Errno.EACCES ->
          operation == Operation.CONNECT
              ? "give both machines the same key"
              : "act as a user who may do this";
      case Errno.EINVAL -> invalid(operation);
      case Errno.ENOTTY ->
          operation == Operation.LIST || operation == Operation.UNPREPARE
              ? "the loaded module is another one or an older one: load the module of this release"
              : "the file is not the device of the mitosis module: check where it leads";
      case Errno.ENOSPC -> "unprepare snapshots that are no longer needed";
      case Errno.ENOMEM -> "free memory, or prepare a smaller process";
      case Errno.EAGAIN -> "raise the limit of processes of this user (ulimit -u) or container";
      case Errno.ENOSYS -> "use another backend if this machine has one (doctor lists them)";
      case Errno.EPROTO, Errno.EPROTONOSUPPORT, Errno.EMSGSIZE, Errno.EBADMSG ->
          "run the same release on both sides";
      case Errno.ENOTCONN -> "connect to the machine first";
      case Errno.ECONNRESET -> gone(backend, operation);
      case Errno.ECONNREFUSED, Errno.EHOSTUNREACH ->
          "check the address, and that mitosis runs on that machine";
      case Errno.ETIMEDOUT -> "check that the other side is up, then try again";
      default -> "";
    };
  }

  private static String notFound(Operation operation) {
    return switch (operation) {
      case UNPREPARE, LIST, RESUME_LOCAL -> "list() shows the snapshots of this machine";
      case RESUME_REMOTE -> "prepare it on that machine first";
      default -> "";
    };
  }

  private static String invalid(Operation operation) {
    return switch (operation) {
      // It is the caller that becomes the child.
      case RESUME_LOCAL, RESUME_REMOTE ->
          "only a process with one thread can resume, and every JVM has several: start children by"
              + " mitosis-child, or by RemoteFork of mitosis-jmh";
      case CONNECT -> "check the address";
      default -> "";
    };
  }

  private static String notPermitted(Operation operation) {
    return switch (operation) {
      case RESUME_LOCAL, RESUME_REMOTE ->
          "act as root or with CAP_SYS_PTRACE, which userfaultfd's events need";
      default -> "the snapshot belongs to another user: act as that user or as root";
    };
  }

  private static String gone(Backend backend, Operation operation) {
    if (operation == Operation.CONNECT || operation == Operation.NIL_RPC) {
      return "check that mitosis runs on that machine, then connect to it again";
    }
    return switch (backend) {
      case KERNEL -> "connect to the machine again";
      case USER ->
          "the daemon's snapshots are lost: open a new device, which starts a new daemon, and"
              + " prepare again";
    };
  }
}
