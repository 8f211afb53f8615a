// SPDX-License-Identifier: Apache-2.0
package org.mitosis.result;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.HdrHistogram.Histogram;
import org.HdrHistogram.HistogramLogReader;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.mitosis.stats.Summary;
import org.mitosis.stats.ValueCounts;

class HistogramLogTest {
  private static final String BENCHMARK = "org.mitosis.benchmark.ForkPrepare.workingSet";
  private static final Map<String, String> ONE_MEBIBYTE = Map.of("memorySize", "1048576");
  private static final Instant START = Instant.parse("2026-01-02T03:04:05Z");

  @TempDir Path directory;

  @BeforeEach
  @AfterEach
  void forget() {
    SelfTimed.clear();
    System.clearProperty(HistogramLog.DIRECTORY_PROPERTY);
    System.clearProperty(HistogramLog.RESULTS_PROPERTY);
  }

  @Test
  void aLogSaysItsVersionAndANewerOneIsTold() throws IOException {
    Path file = create(ONE_MEBIBYTE).file();
    String header = Files.readString(file);
    assertTrue(header.contains("#[format = " + HistogramLog.FORMAT + "]\n"), header);
    assertEquals(List.of(), HistogramLog.read(file).warnings());
    Files.writeString(file, header.replace("#[format = 2]", "#[format = 3]"));
    List<String> warnings = HistogramLog.read(file).warnings();
    assertEquals(1, warnings.size());
    assertTrue(warnings.get(0).contains("is of a newer version of this program"), warnings.get(0));
    Files.writeString(file, header.replace("#[format = 2]\n", ""));
    assertEquals(List.of(), HistogramLog.read(file).warnings(), "version 1 did not say it");
  }

  @Test
  void whatIsWrittenIsReadBackWithoutClosing() throws IOException {
    HistogramLog log = create(ONE_MEBIBYTE);
    append(log, "prepare", 100, 200);
    append(log, "prepare", 300);
    HistogramLog.Contents contents = HistogramLog.read(log.file());
    assertEquals(List.of(), contents.warnings());
    assertEquals(1, contents.series().size());
    HistogramLog.Series series = contents.series().get(0);
    assertEquals(BENCHMARK, series.benchmark());
    assertEquals(ONE_MEBIBYTE, series.params());
    assertEquals(1, series.fork());
    assertEquals("prepare", series.metric());
    assertEquals(3, series.samples().total());
    assertEquals(200, Summary.of(series.samples()).median());
  }

  @Test
  void anyReaderOfTheFormatReadsIt() throws IOException {
    HistogramLog log = create(ONE_MEBIBYTE);
    append(log, "fork", 50);
    try (HistogramLogReader reader = new HistogramLogReader(log.file().toFile())) {
      Histogram histogram = (Histogram) reader.nextIntervalHistogram();
      assertEquals("fork", histogram.getTag());
      assertEquals(50, histogram.getMaxValue());
      assertEquals(START.getEpochSecond(), reader.getStartTimeSec());
      assertEquals(START.toEpochMilli() + 1_000, histogram.getStartTimeStamp());
      assertEquals(START.toEpochMilli() + 1_500, histogram.getEndTimeStamp());
    }
  }

  @Test
  void forksAreCountedByWhatIsThere() throws IOException {
    append(create(ONE_MEBIBYTE), "prepare", 100);
    append(create(ONE_MEBIBYTE), "prepare", 300);
    append(create(Map.of("memorySize", "4096")), "prepare", 5);
    assertTrue(
        Files.exists(directory.resolve("ForkPrepare.workingSet,memorySize=1048576,fork=2.hlog")));
    HistogramLog.Contents contents = HistogramLog.read(directory);
    assertEquals(
        List.of(1, 2, 1), contents.series().stream().map(HistogramLog.Series::fork).toList());
    List<HistogramLog.Series> merged = contents.overForks();
    assertEquals(2, merged.size());
    assertEquals(0, merged.get(0).fork());
    assertEquals(2, merged.get(0).samples().total());
    assertEquals(300, merged.get(0).samples().max());
    assertEquals(1, contents.series().get(0).samples().total(), "merging leaves them as they are");
  }

  @Test
  void metricsOfOneFileStayApart() throws IOException {
    HistogramLog log = create(Map.of());
    append(log, "prepare", 10);
    append(log, "fork", 20);
    append(log, "prepare", 30);
    List<HistogramLog.Series> series = HistogramLog.read(directory).series();
    assertEquals(
        List.of("fork", "prepare"), series.stream().map(HistogramLog.Series::metric).toList());
    assertEquals(2, series.get(1).samples().total());
    assertTrue(log.file().endsWith("ForkPrepare.workingSet,fork=1.hlog"));
  }

  @Test
  void timesOfNanosecondsToAnHourFit() throws IOException {
    HistogramLog log = create(ONE_MEBIBYTE);
    append(log, "prepare", 1, SelfTimed.LONGEST_NS);
    ValueCounts samples = HistogramLog.read(directory).series().get(0).samples();
    assertEquals(1, samples.min());
    assertEquals(SelfTimed.LONGEST_NS, samples.max(), SelfTimed.LONGEST_NS / 1000.0);
  }

  @Test
  void aFileCutAnywhereGivesWhatIsWholeAndAWarning() throws IOException {
    HistogramLog log = create(ONE_MEBIBYTE);
    long header = Files.size(log.file());
    append(log, "prepare", 100);
    long firstLine = Files.size(log.file());
    append(log, "prepare", 200, 300, 400, 500);
    byte[] whole = Files.readAllBytes(log.file());
    for (int length = 0; length < whole.length; length++) {
      byte[] cut = Arrays.copyOf(whole, length);
      Files.write(log.file(), cut);
      HistogramLog.Contents contents = HistogramLog.read(directory);
      assertEquals(length < firstLine ? 0 : 1, contents.series().size(), "cut at " + length);
      if (length >= firstLine) {
        assertEquals(1, contents.series().get(0).samples().total());
      }
      if (length > header) {
        long wholeLines = new String(cut, StandardCharsets.UTF_8).lines().count();
        assertEquals(
            cut[length - 1] == '\n'
                ? List.of()
                : List.of(
                    "ForkPrepare.workingSet,memorySize=1048576,fork=1.hlog: line "
                        + wholeLines
                        + " is cut off; its samples are left out"),
            contents.warnings(),
            "cut at " + length);
      }
    }
  }

  @Test
  void slicesKeepTheirIterationAndTime() throws IOException {
    HistogramLog log = create(ONE_MEBIBYTE);
    append(log, "prepare", 100);
    SelfTimed.Metric metric = new SelfTimed.Metric("prepare");
    long nowNs = System.nanoTime();
    metric.add(1, 1, nowNs - 400_000_000);
    metric.add(2, 1, nowNs - 350_000_000);
    metric.add(3, 1, nowNs - 200_000_000);
    log.append(List.of(metric.take()), START.plusMillis(2_000), START.plusMillis(2_500));

    HistogramLog.Series series = HistogramLog.read(log.file()).series().get(0);
    assertEquals(
        List.of(1, 2, 2), series.slices().stream().map(HistogramLog.Slice::iteration).toList());
    HistogramLog.Slice second = series.slices().get(1);
    HistogramLog.Slice third = series.slices().get(2);
    assertEquals(START.toEpochMilli() + 1_000, series.slices().get(0).startMs());
    assertEquals(START.toEpochMilli() + 2_000, second.startMs());
    assertEquals(2, second.samples().total());
    assertEquals(START.toEpochMilli() + 2_300, third.startMs(), 50);
    assertEquals(second.endMs(), third.startMs());
    assertEquals(START.toEpochMilli() + 2_500, third.endMs());
    assertEquals(4, series.samples().total());
  }

  @Test
  void whatEndedAtOtherTimesBeginsAndEndsWithThese() throws IOException {
    HistogramLog log = create(ONE_MEBIBYTE);
    SelfTimed.Metric metric = new SelfTimed.Metric("child");
    long nowNs = System.nanoTime();
    metric.addEnded(1, nowNs - 400_000_000);
    metric.addEnded(2, nowNs - 250_000_000);
    metric.addEnded(3, nowNs - 200_000_000);
    log.append(List.of(metric.take()), START.plusMillis(2_000), START.plusMillis(2_500));

    List<HistogramLog.Slice> slices = HistogramLog.read(log.file()).series().get(0).slices();
    assertEquals(START.toEpochMilli() + 2_100, slices.get(0).startMs(), 50);
    assertEquals(START.toEpochMilli() + 2_250, slices.get(1).startMs(), 50);
    assertEquals(START.toEpochMilli() + 2_300, slices.get(1).endMs(), 50);
  }

  @Test
  void aDamagedLineDoesNotTakeTheOthersWithIt() throws IOException {
    HistogramLog log = create(ONE_MEBIBYTE);
    append(log, "prepare", 100);
    String good = Files.readString(log.file());
    String line = good.substring(good.indexOf("Tag="));
    Files.writeString(
        log.file(),
        good
            + line.substring(0, line.length() / 2)
            + "\n"
            + "Tag=prepare,0.1,0.2,3.0,HISTnonsense\n"
            + "garbage\n"
            + line.substring(line.indexOf(',') + 1)
            + "\n"
            + line);
    Files.write(directory.resolve("b.hlog"), new byte[] {(byte) 0xff, 0, '\n', (byte) 0xc3});
    HistogramLog.Contents contents = HistogramLog.read(directory);
    assertEquals(1, contents.series().size());
    assertEquals(2, contents.series().get(0).samples().total());
    assertEquals(4 + 2, contents.warnings().size(), contents.warnings()::toString);
  }

  @Test
  void parametersMayHoldAnything() throws IOException {
    Map<String, String> params =
        Map.of("path", "/a b/ü,=x]", "lines", "a\nb", "long", "y".repeat(300));
    append(create(params), "prepare", 1);
    append(create(params), "prepare", 2);
    HistogramLog.Contents contents = HistogramLog.read(directory);
    assertEquals(2, contents.series().size());
    HistogramLog.Series series = contents.overForks().get(0);
    assertEquals("/a b/ü,=x]", series.params().get("path"));
    assertEquals("a b", series.params().get("lines"), "a line is a line");
    assertEquals(2, series.samples().total());
  }

  @Test
  void anUnwritableDirectoryIsASentence() throws IOException {
    Path file = Files.writeString(directory.resolve("file"), "", StandardCharsets.UTF_8);
    UncheckedIOException e =
        assertThrows(
            UncheckedIOException.class,
            () -> HistogramLog.create(file.resolve("hlog"), BENCHMARK, ONE_MEBIBYTE, START));
    assertTrue(e.getMessage().contains("cannot be written to " + file), e.getMessage());
    assertTrue(e.getMessage().contains("-Dmitosis.results=DIR"), e.getMessage());
  }

  @Test
  void thePlaceIsSetByProperties() {
    assertEquals(Optional.empty(), HistogramLog.directory());
    System.setProperty(HistogramLog.RESULTS_PROPERTY, "some/results");
    assertEquals(Optional.of(Path.of("some/results/hlog")), HistogramLog.directory());
    System.setProperty(HistogramLog.DIRECTORY_PROPERTY, "elsewhere");
    assertEquals(Optional.of(Path.of("elsewhere")), HistogramLog.directory());
  }

  private HistogramLog create(Map<String, String> params) {
    return HistogramLog.create(directory, BENCHMARK, params, START);
  }

  private static void append(HistogramLog log, String metric, long... samplesNs) {
    for (long ns : samplesNs) {
      SelfTimed.record(metric, ns);
    }
    log.append(SelfTimed.take(), START.plusMillis(1_000), START.plusMillis(1_500));
  }
}
