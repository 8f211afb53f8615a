// SPDX-License-Identifier: Apache-2.0
package org.mitosis.cluster;

import java.io.IOException;
import java.nio.file.DirectoryNotEmptyException;
import java.nio.file.FileVisitResult;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.SimpleFileVisitor;
import java.nio.file.attribute.BasicFileAttributes;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.locks.LockSupport;
import java.util.stream.Stream;

/** Removes what {@code cluster} left on a machine: processes, the module, files. */
final class Cleaning {
  private static final Duration GRACE = Duration.ofSeconds(3);
  private static final Duration DEADLINE = Duration.ofSeconds(6);
  private static final Duration POLL = Duration.ofMillis(20);

  private final Path directory;

  private Cleaning(Path directory) {
    this.directory = directory;
  }

  /**
   * The cleaning of a directory.
   *
   * @param directory where benchmarks.jar was copied to and unpacked
   */
  static Cleaning of(Path directory) {
    return new Cleaning(directory);
  }

  /** The folder below the directory to which the agent's JVM unpacks programs. */
  static final String NATIVE = "native";

  /**
   * Cleans.
   *
   * @return what was done, one message each
   */
  List<String> run() throws IOException {
    List<String> done = new ArrayList<>(endProcesses());
    done.addAll(new KernelModule(directory).unload());
    remove(directory.resolve(NATIVE));
    Files.deleteIfExists(directory.resolve(Bootstrap.JAR));
    removeIfEmpty(directory);
    done.add("removed " + directory.resolve(Bootstrap.JAR) + " and what was unpacked from it");
    return done;
  }

  /** Removes a tree; machines that share a home directory may do so concurrently. */
  private static void remove(Path folder) throws IOException {
    if (!Files.exists(folder, LinkOption.NOFOLLOW_LINKS)) {
      return;
    }
    Files.walkFileTree(
        folder,
        new SimpleFileVisitor<>() {
          @Override
          public FileVisitResult visitFile(Path file, BasicFileAttributes attributes)
              throws IOException {
            Files.deleteIfExists(file);
            return FileVisitResult.CONTINUE;
          }

          @Override
          public FileVisitResult visitFileFailed(Path file, IOException e) throws IOException {
            if (e instanceof NoSuchFileException) {
              return FileVisitResult.CONTINUE;
            }
            throw e;
          }

          @Override
          public FileVisitResult postVisitDirectory(Path inner, IOException e) throws IOException {
            removeIfEmpty(inner);
            return FileVisitResult.CONTINUE;
          }
        });
  }

  /** A folder with files of other machines or users stays. */
  private static void removeIfEmpty(Path folder) throws IOException {
    try {
      Files.deleteIfExists(folder);
    } catch (DirectoryNotEmptyException e) {
      // stays
    }
  }

  /** Ends processes that were started from the directory: SIGTERM, later SIGKILL. */
  private List<String> endProcesses() throws IOException {
    List<String> ended = new ArrayList<>();
    long startNs = System.nanoTime();
    while (true) {
      List<ProcessHandle> left = processes();
      if (left.isEmpty()) {
        return ended;
      }
      long passedNs = System.nanoTime() - startNs;
      if (passedNs > DEADLINE.toNanos()) {
        throw new IOException("processes cannot be ended: " + left);
      }
      for (ProcessHandle process : left) {
        String message = "ended process " + process.pid() + " (" + command(process) + ")";
        if (!ended.contains(message)) {
          ended.add(message);
        }
        if (passedNs > GRACE.toNanos()) {
          process.destroyForcibly();
        } else {
          process.destroy();
        }
      }
      LockSupport.parkNanos(POLL.toNanos());
    }
  }

  private List<ProcessHandle> processes() {
    String inside = directory.resolve(NATIVE) + "/";
    return ProcessHandle.allProcesses()
        .filter(process -> process.pid() != ProcessHandle.current().pid())
        .filter(
            process ->
                process.info().command().orElse("").startsWith(inside)
                    || Stream.of(process.info().arguments().orElse(new String[0]))
                        .anyMatch(word -> word.startsWith(inside)))
        .toList();
  }

  private static String command(ProcessHandle process) {
    String command = process.info().command().orElse("unknown");
    return command.substring(command.lastIndexOf('/') + 1);
  }
}
