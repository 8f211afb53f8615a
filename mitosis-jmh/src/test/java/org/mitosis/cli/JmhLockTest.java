// SPDX-License-Identifier: Apache-2.0
package org.mitosis.cli;

import static org.junit.jupiter.api.Assertions.assertDoesNotThrow;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.channels.FileLock;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.mitosis.setting.MissingPrerequisite;

class JmhLockTest {
  @TempDir Path directory;
  private Path file;
  private Path kernelLocks;

  @BeforeEach
  void paths() {
    file = directory.resolve("jmh.lock");
    kernelLocks = directory.resolve("locks");
  }

  @Test
  void isFreeWithoutAFileOrALock() throws IOException {
    assertDoesNotThrow(() -> new JmhLock(file, kernelLocks).requireFree());
    Files.createFile(file);
    assertDoesNotThrow(() -> new JmhLock(file, kernelLocks).requireFree());
  }

  @Test
  void namesTheProcessThatHoldsIt() throws IOException {
    Files.createFile(file);
    Files.writeString(
        kernelLocks,
        "1: FLOCK  ADVISORY  WRITE 1 08:01:"
            + Files.getAttribute(file, "unix:ino")
            + " 0 EOF\n2: POSIX  ADVISORY  WRITE 4321 08:01:"
            + Files.getAttribute(file, "unix:ino")
            + " 0 EOF\n");
    String message = messageWhileHeld();
    assertTrue(message.contains("(process 4321)"), message);
    assertTrue(message.contains(file.toString()), message);
  }

  @Test
  void doesWithoutTheProcessWhereTheKernelDoesNotTell() throws IOException {
    Files.createFile(file);
    String message = messageWhileHeld();
    assertTrue(message.startsWith("another JMH run holds "), message);
  }

  @Test
  void aFileThatCannotBeOpenedIsExplained() throws IOException {
    Files.createDirectory(file);
    String message =
        assertThrows(MissingPrerequisite.class, () -> new JmhLock(file, kernelLocks).requireFree())
            .getMessage();
    assertTrue(message.contains("-Djava.io.tmpdir=DIR"), message);
  }

  private String messageWhileHeld() throws IOException {
    try (FileChannel channel = FileChannel.open(file, StandardOpenOption.WRITE);
        FileLock lock = channel.lock()) {
      assertTrue(lock.isValid());
      return assertThrows(
              MissingPrerequisite.class, () -> new JmhLock(file, kernelLocks).requireFree())
          .getMessage();
    }
  }
}
