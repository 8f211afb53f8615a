// SPDX-License-Identifier: Apache-2.0
package org.mitosis.result;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class ResultFolderTest {
  private static final Instant STARTED = Instant.parse("2026-11-23T17:45:12.345Z");

  @TempDir Path directory;

  @Test
  void isNamedByDateHostAndName() throws IOException {
    ResultFolder folder =
        ResultFolder.create(directory.resolve("results"), STARTED, "lab-1", "ForkPrepare");
    assertEquals(directory.resolve("results/2026-11-23T174512Z-lab-1-ForkPrepare"), folder.path());
    assertEquals(List.of("hlog"), entries(folder.path()));
  }

  @ParameterizedTest
  @CsvSource({
    "'', all",
    "'ForkPrepare.*workingSet$', ForkPrepare.-workingSet",
    "'../../etc', etc",
    "'a b/c', a-b-c",
    "'x*****', x",
    "0123456789012345678901234567890123456789xyz, 0123456789012345678901234567890123456789"
  })
  void aNameNeedsNoQuotingAndCannotLeaveTheFolder(String name, String plain) {
    assertEquals(plain, ResultFolder.plain(name, "all"));
  }

  @Test
  void runsAtTheSameTimeNeverShareAFolder() throws Exception {
    int runs = 8;
    ExecutorService pool = Executors.newFixedThreadPool(runs);
    try {
      List<Future<ResultFolder>> folders = new ArrayList<>();
      for (int i = 0; i < runs; i++) {
        folders.add(pool.submit(() -> ResultFolder.create(directory, STARTED, "h", "n")));
      }
      Set<Path> paths = new TreeSet<>();
      for (Future<ResultFolder> folder : folders) {
        paths.add(folder.get(30, TimeUnit.SECONDS).path());
      }
      assertEquals(runs, paths.size());
    } finally {
      pool.shutdownNow();
    }
  }

  @Test
  void aGivenDirectoryIsUsedExactlyIfItIsEmptyOrMissing() throws IOException {
    assertEquals(directory, ResultFolder.createExactly(directory).path());
    Path missing = directory.resolve("a/b");
    assertEquals(missing, ResultFolder.createExactly(missing).path());
  }

  @Test
  void aGivenDirectoryWithResultsIsRefused() throws IOException {
    Files.createFile(directory.resolve("jmh.json"));
    IOException refused =
        assertThrows(IOException.class, () -> ResultFolder.createExactly(directory));
    assertTrue(refused.getMessage().contains("is not empty"), refused.getMessage());
    assertTrue(refused.getMessage().contains("-Dmitosis.results=DIR"), refused.getMessage());
  }

  @Test
  void aPlaceThatCannotBeWrittenToIsOneSentenceWithTheWayOut() throws IOException {
    Path file = Files.createFile(directory.resolve("file"));
    for (Path impossible : List.of(file, file.resolve("below"), Path.of("/proc/mitosis"))) {
      String message =
          assertThrows(IOException.class, () -> ResultFolder.createExactly(impossible))
              .getMessage();
      assertTrue(message.contains(impossible.toString()), message);
      assertTrue(message.contains("-Dmitosis.results=DIR"), message);
      assertEquals(
          message,
          assertThrows(IOException.class, () -> ResultFolder.create(impossible, STARTED, "h", "n"))
              .getMessage());
    }
  }

  @Test
  void aRunThatDoesNotStartLeavesNothing() throws IOException {
    ResultFolder folder = ResultFolder.create(directory.resolve("results"), STARTED, "h", "n");
    folder.replace(folder.environment(), "{}");
    folder.discard();
    assertEquals(List.of(), entries(directory));
  }

  @Test
  void discardingKeepsWhatIsNotOurs() throws IOException {
    ResultFolder folder = ResultFolder.createExactly(directory);
    Files.createFile(folder.path().resolve("notes"));
    folder.discard();
    assertEquals(List.of("notes"), entries(directory));
  }

  @Test
  void replacingLeavesOneWholeFile() throws IOException {
    ResultFolder folder = ResultFolder.createExactly(directory);
    folder.replace(folder.environment(), "old");
    folder.replace(folder.environment(), "new");
    assertEquals("new", Files.readString(folder.environment()));
    assertEquals(List.of("environment.json", "hlog"), entries(directory));
  }

  @Test
  void aFileThatCannotBeReplacedIsOneSentence() throws IOException {
    ResultFolder folder = ResultFolder.createExactly(directory);
    Files.createDirectories(folder.table().resolve("in-the-way"));
    IOException failed =
        assertThrows(IOException.class, () -> folder.replace(folder.table(), "table"));
    assertTrue(failed.getMessage().startsWith(folder.table() + " could not be written"));
    assertFalse(failed.getMessage().contains("\n"));
  }

  private static List<String> entries(Path folder) throws IOException {
    try (Stream<Path> entries = Files.list(folder)) {
      return entries.map(entry -> entry.getFileName().toString()).sorted().toList();
    }
  }
}
