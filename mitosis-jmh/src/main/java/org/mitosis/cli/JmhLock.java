// SPDX-License-Identifier: Apache-2.0
package org.mitosis.cli;

import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.channels.FileLock;
import java.nio.channels.OverlappingFileLockException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import org.mitosis.setting.MissingPrerequisite;

/** The lock by which JMH prevents two runs at the same time. */
final class JmhLock {
  private final Path file;
  private final Path kernelLocks;

  /**
   * The lock of a file.
   *
   * @param file JMH's lock file
   * @param kernelLocks the kernel's list of locks, /proc/locks
   */
  JmhLock(Path file, Path kernelLocks) {
    this.file = file;
    this.kernelLocks = kernelLocks;
  }

  /** The lock that JMH takes in this process. */
  static JmhLock ofThisProcess() {
    return new JmhLock(
        Path.of(System.getProperty("java.io.tmpdir"), "jmh.lock"), Path.of("/proc/locks"));
  }

  /**
   * Checks that JMH can take the lock, unless the user has told JMH to ignore it.
   *
   * @throws MissingPrerequisite if another run holds it, or its file cannot be opened
   */
  void requireFree() {
    if (Boolean.getBoolean("jmh.ignoreLock") || Files.notExists(file)) {
      return;
    }
    // Opens it as JMH does: in /tmp the kernel may refuse that for another user's file.
    try (RandomAccessFile opened = new RandomAccessFile(file.toFile(), "rw");
        FileLock lock = opened.getChannel().tryLock()) {
      if (lock == null) {
        throw held();
      }
    } catch (OverlappingFileLockException e) {
      throw held();
    } catch (IOException e) {
      throw new MissingPrerequisite(
          "JMH's lock cannot be opened: "
              + e.getMessage()
              + "; if no other benchmark runs, remove it, or choose another directory for it with"
              + " -Djava.io.tmpdir=DIR");
    }
  }

  /** The error if the lock is held. */
  MissingPrerequisite held() {
    return new MissingPrerequisite(
        "another JMH run"
            + holder().map(pid -> " (process " + pid + ")").orElse("")
            + " holds "
            + file
            + ", and two runs at the same time disturb each other: start again when it has ended");
  }

  /** The process that holds the lock, if the kernel shows it to us. */
  private Optional<String> holder() {
    try {
      String inode = ":" + Files.getAttribute(file, "unix:ino");
      for (String line : Files.readAllLines(kernelLocks)) {
        // 1: POSIX  ADVISORY  WRITE 1234 08:01:5678 0 EOF
        List<String> fields = Arrays.asList(line.trim().split("\\s+"));
        if (fields.size() >= 6 && fields.get(1).equals("POSIX") && fields.get(5).endsWith(inode)) {
          return Optional.of(fields.get(4)).filter(pid -> !pid.startsWith("-"));
        }
      }
    } catch (IOException | UnsupportedOperationException e) {
      // The message then has no process id.
    }
    return Optional.empty();
  }
}
