// SPDX-License-Identifier: Apache-2.0
package org.mitosis.cluster;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CyclicBarrier;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class CleaningTest {
  private static final int MACHINES = 4;
  private static final int ROUNDS = 20;

  @TempDir Path home;

  @Test
  void machinesWithOneHomeDirectoryCleanItTogether() throws Exception {
    ExecutorService machines = Executors.newFixedThreadPool(MACHINES);
    try {
      for (int round = 0; round < ROUNDS; round++) {
        Path directory = deployed();
        CyclicBarrier together = new CyclicBarrier(MACHINES);
        List<Future<List<String>>> all = new ArrayList<>();
        for (int i = 0; i < MACHINES; i++) {
          all.add(
              machines.submit(
                  () -> {
                    together.await(10, TimeUnit.SECONDS);
                    return Cleaning.of(directory).run();
                  }));
        }
        for (Future<List<String>> one : all) {
          one.get(30, TimeUnit.SECONDS);
        }
        assertFalse(Files.exists(directory));
      }
    } finally {
      machines.shutdownNow();
    }
  }

  @Test
  void keepsFilesOfOthers() throws IOException {
    Path directory = deployed();
    Path theirs = Files.writeString(directory.resolve("notes"), "of another user");
    Cleaning.of(directory).run();
    assertEquals("of another user", Files.readString(theirs));
    assertFalse(Files.exists(directory.resolve(Bootstrap.JAR)));
    assertFalse(Files.exists(directory.resolve(Cleaning.NATIVE)));
  }

  private Path deployed() throws IOException {
    Path directory = home.resolve("mitosis");
    for (int i = 0; i < 30; i++) {
      Path programs =
          Files.createDirectories(directory.resolve(Cleaning.NATIVE).resolve("hash" + i));
      Files.writeString(programs.resolve("program"), "");
    }
    Files.writeString(directory.resolve(Bootstrap.JAR), "");
    return directory;
  }
}
