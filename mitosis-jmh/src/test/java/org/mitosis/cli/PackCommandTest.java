// SPDX-License-Identifier: Apache-2.0
package org.mitosis.cli;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeFalse;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.Stream;
import java.util.zip.ZipEntry;
import java.util.zip.ZipFile;
import java.util.zip.ZipOutputStream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.mitosis.result.Environment;
import org.mitosis.result.SampleRun;

class PackCommandTest {
  private static final Map<String, String> SMALL = Map.of("memorySize", "1048576");

  @TempDir Path directory;
  private final ByteArrayOutputStream out = new ByteArrayOutputStream();
  private final ByteArrayOutputStream err = new ByteArrayOutputStream();
  private static final String PAGE = "index.html";

  private SampleRun sample;
  private Path folder;
  private Path zip;

  @BeforeEach
  void run() throws IOException {
    sample = new SampleRun(directory.resolve("run"));
    sample.levels("ForkPrepare.workingSet", SMALL, "prepare", 100_000, 101_000, 102_000);
    sample.score("a.B.c", Map.of(), "us/op", List.of(List.of(1.0, 2.0), List.of(1.5, 2.5)));
    folder = sample.folder();
    zip = directory.resolve("run.zip");
  }

  @Test
  void reportsOfThePackedRunAreThoseOfTheFolder() throws IOException {
    assertEquals(0, report(folder), errors());
    assertEquals(0, pack(folder), errors());
    assertEquals(zip + "\n", text());
    assertEquals(0, report(zip), errors());
    assertEquals(directory.resolve("run-report/index.html") + "\n", text());
    Map<String, byte[]> expected = files(folder.resolve("report"));
    Map<String, byte[]> actual = files(directory.resolve("run-report"));
    assertEquals(expected.keySet(), actual.keySet());
    assertTrue(expected.size() >= 3, expected.keySet().toString());
    // The one names the folder's files, the other the zip.
    assertEquals(withoutData(expected), withoutData(actual));
    expected.remove(PAGE);
    expected.forEach((name, content) -> assertArrayEquals(content, actual.get(name), name));
  }

  private static String withoutData(Map<String, byte[]> report) {
    String page = new String(report.get(PAGE), StandardCharsets.UTF_8);
    String rest = page.replaceAll("<p class=\"files\">Data: .*</p>", "");
    assertNotEquals(page, rest);
    return rest;
  }

  @Test
  void comparisonsOfPackedRunsAreThoseOfFolders() throws IOException {
    SampleRun other = new SampleRun(directory.resolve("other"));
    other.levels("ForkPrepare.workingSet", SMALL, "prepare", 110_000, 111_000, 112_000).finished();
    assertEquals(0, pack(folder), errors());
    assertEquals(0, pack(other.folder()), errors());
    assertEquals(0, compare(folder, other.folder()), errors());
    String expected = text();
    assertEquals(0, compare(zip, directory.resolve("other.zip")), errors());
    assertEquals(expected, text().replace("run.zip", "run").replace("other.zip", "other"));
    assertEquals(0, compare(folder, directory.resolve("other.zip")), errors());
  }

  @Test
  void theArchiveHasTheFilesOfTheRunBelowItsName() throws IOException {
    Files.createDirectories(folder.resolve("report/plots"));
    Files.writeString(folder.resolve("report/plots/a.svg"), "made again");
    Files.writeString(folder.resolve(".jmh.json.new"), "half");
    Files.writeString(folder.resolve("log.txt"), "line");
    assertEquals(0, pack(folder), errors());
    try (ZipFile file = new ZipFile(zip.toFile())) {
      List<String> names = file.stream().map(ZipEntry::getName).toList();
      assertEquals(names.stream().sorted().toList(), names);
      assertTrue(names.contains("run/environment.json"), names.toString());
      assertTrue(names.contains("run/log.txt"), names.toString());
      assertTrue(names.stream().anyMatch(name -> name.matches("run/hlog/.*[.]hlog")));
      assertTrue(names.stream().noneMatch(name -> name.matches(".*(report|[.]new).*")));
    }
    assertTrue(Files.exists(folder.resolve("report/plots/a.svg")));
    try (Stream<Path> left = Files.list(directory)) {
      assertTrue(left.noneMatch(file -> file.toString().endsWith(".new")));
    }
  }

  @Test
  void theSameFilesGiveTheSameBytes() throws IOException {
    assertEquals(0, pack(folder), errors());
    Files.setLastModifiedTime(folder.resolve("environment.json"), FileTime.fromMillis(1_000_000));
    Path second = directory.resolve("second.zip");
    assertEquals(0, run("-o", second.toString(), folder.toString()), errors());
    assertArrayEquals(Files.readAllBytes(zip), Files.readAllBytes(second));
  }

  @Test
  void anUnfinishedRunIsRefusedUnlessForced() throws IOException {
    sample.environment(Environment.Outcome.RUNNING, List.of());
    assertEquals(1, pack(folder));
    assertTrue(errors().contains("--force"), errors());
    assertFalse(Files.exists(zip));
    assertEquals(0, run("--force", folder.toString()), errors());
    assertTrue(errors().contains("has not ended"), errors());
    Files.delete(zip);
    sample.environment(Environment.Outcome.INTERRUPTED, List.of());
    assertEquals(0, pack(folder), errors());
  }

  @Test
  void whatIsNoRunIsRefused() throws IOException {
    assertEquals(1, pack(directory.resolve("none")));
    assertTrue(errors().contains("does not exist"), errors());
    assertEquals(1, pack(Files.createDirectories(directory.resolve("empty"))));
    assertTrue(errors().contains("holds no results"), errors());
    assertEquals(1, pack(folder.resolve("jmh.json")));
    assertTrue(errors().contains("is a file"), errors());
    try (Stream<Path> left = Files.list(directory)) {
      assertTrue(left.noneMatch(file -> file.toString().endsWith(".zip")));
    }
  }

  @Test
  void nothingIsOverwritten() throws IOException {
    Files.writeString(zip, "mine");
    assertEquals(1, pack(folder));
    assertTrue(errors().contains("run.zip exists"), errors());
    assertEquals("mine", Files.readString(zip));
  }

  @Test
  void aFolderThatCannotBeWrittenToIsNamed() throws IOException {
    assertEquals(1, run("-o", directory.resolve("none/x.zip").toString(), folder.toString()));
    assertTrue(errors().contains("no such file or directory; name another file"), errors());
    Path locked = Files.createDirectories(directory.resolve("locked"));
    assertTrue(locked.toFile().setWritable(false));
    assumeFalse(Files.isWritable(locked), "root writes everywhere");
    assertEquals(1, run("-o", locked.resolve("x.zip").toString(), folder.toString()));
    assertTrue(errors().contains("permission denied"), errors());
  }

  @Test
  void aDamagedArchiveIsNamed() throws IOException {
    assertEquals(0, pack(folder), errors());
    byte[] whole = Files.readAllBytes(zip);
    for (int length : new int[] {0, 1, 4, whole.length / 2, whole.length - 1}) {
      Files.write(zip, Arrays.copyOf(whole, length));
      assertUnreadable(zip, "cannot be read");
    }
    Files.writeString(zip, "[ ]");
    assertUnreadable(zip, "cannot be read");
    byte[] flipped = whole.clone();
    flipped["PK".length() + 100] ^= 0x10;
    Files.write(zip, flipped);
    assertUnreadable(zip, "cannot be read");
  }

  @Test
  void anArchiveWithoutARunIsNamed() throws IOException {
    archive("some/notes.txt", new byte[10]);
    assertUnreadable(zip, "holds no results");
  }

  @Test
  void namesThatLeadOutAreRefused() throws IOException {
    archive("../../environment.json", "{}".getBytes(StandardCharsets.UTF_8));
    assertUnreadable(zip, "cannot be read");
  }

  @Test
  void aHugeEntryIsRefused() throws IOException {
    byte[] mebibyte = new byte[1 << 20];
    try (OutputStream file = Files.newOutputStream(zip);
        ZipOutputStream entries = new ZipOutputStream(file)) {
      entries.putNextEntry(new ZipEntry("jmh.json"));
      for (int i = 0; i < 257; i++) {
        entries.write(mebibyte);
      }
    }
    assertUnreadable(zip, "at most 268435456");
  }

  @Test
  void anArchiveMadeByHandIsReadWithAndWithoutItsFolder() throws IOException {
    byte[] environment = Files.readAllBytes(folder.resolve("environment.json"));
    archive("environment.json", environment);
    assertEquals(1, report(zip)); // there is no jmh.json
    assertTrue(errors().contains("there is no jmh.json"), errors());
    assertTrue(Files.readString(directory.resolve("run-report/report.md")).contains("run"));
    archive("another/environment.json", environment);
    assertEquals(1, report(zip));
    assertTrue(Files.readString(directory.resolve("run-report/report.md")).contains("another"));
  }

  @ParameterizedTest
  @ValueSource(strings = {"", "-o", "--what run", "a b"})
  void badArgumentsAreOneMessage(String line) {
    assertEquals(2, run(line.isEmpty() ? new String[0] : line.split(" ")));
    assertTrue(errors().contains("pack --help"), errors());
    assertEquals(1, errors().lines().count());
  }

  @Test
  void helpIsHelp() {
    assertEquals(0, run("--help"));
    assertTrue(text().contains("-o=FILE"), text());
  }

  private void archive(String name, byte[] content) throws IOException {
    try (OutputStream file = Files.newOutputStream(zip);
        ZipOutputStream entries = new ZipOutputStream(file)) {
      entries.putNextEntry(new ZipEntry(name));
      entries.write(content);
    }
  }

  private void assertUnreadable(Path file, String why) throws IOException {
    assertEquals(1, report(file));
    assertTrue(errors().contains(file + " "), errors());
    assertTrue(errors().contains(why), errors());
    assertEquals(1, errors().lines().count(), errors());
    assertFalse(Files.exists(directory.resolve("run-report")));
    assertEquals(1, compare(folder, file));
    assertTrue(errors().contains(why), errors());
  }

  private static Map<String, byte[]> files(Path folder) throws IOException {
    Map<String, byte[]> files = new TreeMap<>();
    try (Stream<Path> all = Files.walk(folder)) {
      for (Path file : all.filter(Files::isRegularFile).toList()) {
        files.put(folder.relativize(file).toString(), Files.readAllBytes(file));
      }
    }
    return files;
  }

  private int pack(Path run) {
    return run(run.toString());
  }

  private int run(String... args) {
    reset();
    return run(new PackCommand(stream(out), stream(err)), args);
  }

  private int run(BenchCommand command, String... args) {
    return BenchCommands.run(command, stream(out), stream(err), args).number();
  }

  private int report(Path run) {
    reset();
    return run(new ReportCommand(stream(out), stream(err)), run.toString());
  }

  private int compare(Path old, Path now) {
    reset();
    return run(new CompareCommand(stream(out), stream(err)), old.toString(), now.toString());
  }

  private void reset() {
    out.reset();
    err.reset();
  }

  private static PrintStream stream(ByteArrayOutputStream bytes) {
    return new PrintStream(bytes, true, StandardCharsets.UTF_8);
  }

  private String text() {
    return out.toString(StandardCharsets.UTF_8);
  }

  private String errors() {
    return err.toString(StandardCharsets.UTF_8);
  }
}
