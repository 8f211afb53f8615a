// SPDX-License-Identifier: Apache-2.0
package org.mitosis;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.locks.LockSupport;
import java.util.stream.Stream;
import org.junit.jupiter.api.extension.BeforeAllCallback;
import org.junit.jupiter.api.extension.ExtensionContext;
import org.junit.jupiter.api.extension.ExtensionContext.Namespace;

/**
 * For tests of the user backend: the daemon in the runtime directory that the build gives to them.
 * After the last test the daemon must end by itself; then the directory is removed.
 */
public final class DaemonOfTheTests implements BeforeAllCallback {
  private static final Duration DEADLINE = Duration.ofSeconds(20);
  private static final long STEP_NS = 10_000_000;

  @Override
  public void beforeAll(ExtensionContext context) {
    context
        .getRoot()
        .getStore(Namespace.create(DaemonOfTheTests.class))
        .computeIfAbsent("end", key -> new End(), End.class);
  }

  /** The daemon's process, if one is running. */
  public static Optional<ProcessHandle> process() throws IOException {
    try {
      String pid = Files.readString(directory().resolve("mitosisd.pid")).strip();
      return pid.isEmpty()
          ? Optional.empty()
          : ProcessHandle.of(Long.parseLong(pid)).filter(ProcessHandle::isAlive);
    } catch (NoSuchFileException e) {
      return Optional.empty();
    }
  }

  /**
   * Waits until the daemon that earlier tests used has ended, having nothing to do: the next one
   * reads its settings anew.
   */
  public static void awaitEnd() throws IOException {
    long deadlineNs = System.nanoTime() + DEADLINE.toNanos();
    while (process().isPresent()) {
      if (System.nanoTime() > deadlineNs) {
        process().ifPresent(ProcessHandle::destroyForcibly);
        throw new AssertionError(
            "mitosisd still runs " + DEADLINE.toSeconds() + " s after the last test");
      }
      LockSupport.parkNanos(STEP_NS);
    }
  }

  private static Path directory() {
    String directory = System.getenv("MITOSIS_RUNTIME_DIR");
    if (directory == null) {
      throw new AssertionError(
          "set MITOSIS_RUNTIME_DIR to a short path of the tests' own, as pom.xml does");
    }
    return Path.of(directory);
  }

  private static final class End implements AutoCloseable {
    @Override
    public void close() throws IOException {
      awaitEnd();
      if (!Files.exists(directory())) {
        return;
      }
      List<Path> files;
      try (Stream<Path> walk = Files.walk(directory())) {
        files = walk.sorted(Comparator.reverseOrder()).toList();
      }
      for (Path file : files) {
        Files.delete(file);
      }
    }
  }
}
