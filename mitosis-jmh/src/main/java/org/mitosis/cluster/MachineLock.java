// SPDX-License-Identifier: Apache-2.0
package org.mitosis.cluster;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.channels.FileLock;
import java.nio.charset.StandardCharsets;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Duration;
import java.util.concurrent.locks.LockSupport;
import org.mitosis.setting.MissingPrerequisite;

/**
 * The lock of a machine, which is used by one run at a time, of any user: a locked file whose
 * content names the owner. The kernel releases the lock when the process that holds it ends.
 */
final class MachineLock implements AutoCloseable {
  private static final String NAME = "mitosis-cluster.lock";
  private static final int LONGEST_OWNER = 512;
  private static final Duration END_DEADLINE = Duration.ofSeconds(10);
  private static final Duration POLL = Duration.ofMillis(20);

  /** Whether this process has the lock: closing a second channel of the file would release it. */
  private static volatile boolean held;

  private final FileChannel channel;

  private MachineLock(FileChannel channel) {
    this.channel = channel;
  }

  /** The folder of this host's locks, which every user can write to. */
  static Path directory() {
    Path usual = Path.of("/run/lock");
    return Files.isWritable(usual) ? usual : Path.of("/tmp");
  }

  /** The other holder; empty if there is none. */
  static String owner(Path directory) {
    if (held) {
      return "";
    }
    try (FileChannel channel = open(directory.resolve(NAME))) {
      return channel.tryLock() != null ? "" : holder(channel);
    } catch (IOException e) {
      throw unusable(directory, e);
    }
  }

  /**
   * Takes the machine.
   *
   * @param owner who takes it, one line; the process id is added
   * @param force ends the process that holds it, if this user may
   * @throws MissingPrerequisite if another run has it
   */
  static MachineLock take(Path directory, String owner, boolean force) {
    try {
      FileChannel channel = open(directory.resolve(NAME));
      FileLock lock = channel.tryLock();
      if (lock == null && force) {
        lock = afterEnding(channel);
      }
      if (lock == null) {
        String holder = holder(channel);
        channel.close();
        throw new MissingPrerequisite(
            "is in use by "
                + holder
                + "; wait until it has ended, or end it with 'cluster clean --force'");
      }
      channel.truncate(0);
      channel.write(
          ByteBuffer.wrap(
              (owner + ", process " + ProcessHandle.current().pid())
                  .getBytes(StandardCharsets.UTF_8)),
          0);
      held = true;
      return new MachineLock(channel);
    } catch (IOException e) {
      throw unusable(directory, e);
    }
  }

  @Override
  public void close() {
    try {
      channel.truncate(0);
      channel.close();
      held = false;
    } catch (IOException e) {
      // The kernel releases it when this process ends.
    }
  }

  /**
   * Opens without O_CREAT, which the kernel refuses for another user's file in a sticky directory
   * like /tmp, and does not follow a symbolic link that another user may have put there.
   */
  private static FileChannel open(Path file) throws IOException {
    while (true) {
      try {
        return FileChannel.open(
            file, StandardOpenOption.READ, StandardOpenOption.WRITE, LinkOption.NOFOLLOW_LINKS);
      } catch (NoSuchFileException e) {
        try {
          Files.createFile(file);
          Files.setPosixFilePermissions(file, PosixFilePermissions.fromString("rw-rw-rw-"));
        } catch (FileAlreadyExistsException again) {
          // Another process was first.
        }
      }
    }
  }

  private static String holder(FileChannel channel) throws IOException {
    ByteBuffer bytes = ByteBuffer.allocate(LONGEST_OWNER);
    channel.read(bytes, 0);
    String holder =
        new String(bytes.array(), 0, bytes.position(), StandardCharsets.UTF_8)
            .replaceAll("\\p{Cntrl}", " ")
            .strip();
    return holder.isEmpty() ? "a process that has just started" : holder;
  }

  private static FileLock afterEnding(FileChannel channel) throws IOException {
    long startNs = System.nanoTime();
    boolean asked = false;
    while (System.nanoTime() - startNs < END_DEADLINE.toNanos()) {
      FileLock lock = channel.tryLock();
      if (lock != null) {
        return lock;
      }
      boolean insist = System.nanoTime() - startNs > END_DEADLINE.toNanos() / 2;
      if (!asked || insist) {
        end(holder(channel), insist);
        asked = true;
      }
      LockSupport.parkNanos(POLL.toNanos());
    }
    return null;
  }

  /** Ends the process of a holder, if it is an agent: the kernel may have reused its number. */
  private static void end(String holder, boolean insist) {
    String number = holder.replaceFirst(".*, process ([0-9]{1,9})$", "$1");
    if (number.matches("[0-9]{1,9}")) {
      ProcessHandle.of(Long.parseLong(number))
          .filter(Agent::isAgent)
          .ifPresent(insist ? ProcessHandle::destroyForcibly : ProcessHandle::destroy);
    }
  }

  private static MissingPrerequisite unusable(Path directory, IOException e) {
    return new MissingPrerequisite(
        "the lock " + directory.resolve(NAME) + " cannot be used: " + e.getMessage());
  }
}
