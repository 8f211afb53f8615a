// SPDX-License-Identifier: Apache-2.0
package org.mitosis.function;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.time.Instant;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;

/**
 * What CRIU dumps: a warm function that waits as {@code mitosis-criu-target} does. Its copy says
 * when it began and had its result, by CLOCK_REALTIME: the monotonic clock of a restored process
 * has an offset of its own.
 */
final class CriuCopy {
  private static final long LOOK_NS = TimeUnit.MICROSECONDS.toNanos(50);
  private static final int WRONG = 3;

  private final CompiledFunction function;
  private final Path folder;

  CriuCopy(CompiledFunction function, String folder) {
    this.function = function;
    this.folder = Path.of(folder);
  }

  /** Waits and works; the exit code. */
  int run() throws IOException {
    Optional<ProcessHandle> starter = ProcessHandle.current().parent();
    function.settle();
    Path go = folder.resolve("go");
    Files.createFile(folder.resolve("ready"));
    while (!Files.exists(go)) {
      // A copy has another parent, too, but it finds the file.
      if (!ProcessHandle.current().parent().equals(starter) && !Files.exists(go)) {
        return 0; // Its starter has ended: no process can dump or end it.
      }
      LockSupport.parkNanos(LOOK_NS);
    }
    long first = realtimeNs();
    boolean right = function.callsAreRight();
    long after = realtimeNs();
    if (!right) {
      return WRONG;
    }
    Path written = folder.resolve("result.new");
    Files.writeString(written, first + " " + after + "\n");
    Files.move(written, folder.resolve("result"), StandardCopyOption.ATOMIC_MOVE);
    return 0;
  }

  private static long realtimeNs() {
    Instant now = Instant.now();
    return TimeUnit.SECONDS.toNanos(now.getEpochSecond()) + now.getNano();
  }
}
