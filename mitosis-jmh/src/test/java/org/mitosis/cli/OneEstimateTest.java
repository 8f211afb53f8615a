// SPDX-License-Identifier: Apache-2.0
package org.mitosis.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.mitosis.report.Report;
import org.mitosis.result.ArtifactTable;
import org.mitosis.result.Run;
import org.mitosis.result.SampleRun;
import org.mitosis.setting.ExitCode;

/** One folder through every output: a figure has one median. */
class OneEstimateTest {
  private static final Map<String, String> SIZE = Map.of("memorySize", "1048576");

  @TempDir Path directory;

  /**
   * Forks of different sizes, with an even number of samples in each: pooled, the median would be
   * 300 µs, and with the lower of the two samples in the middle 100 µs and 200 µs.
   */
  @Test
  void theMedianOfForkMediansIsInEveryOutput() throws IOException {
    SampleRun sample = new SampleRun(directory.resolve("run"));
    sample.selfTimed("ForkResume.workingSet", SIZE, "resume", ns(100, 100, 100, 140, 140, 140));
    sample.selfTimed("ForkResume.workingSet", SIZE, "resume", ns(200, 200, 200, 240, 240, 240));
    long[] many = new long[40];
    Arrays.fill(many, 300_000);
    sample.selfTimed("ForkResume.workingSet", SIZE, "resume", many);
    Run run = Run.read(sample.finished().folder());

    String table =
        ArtifactTable.of(sample.folder().resolve("hlog"), "[ ]", run.environment().orElseThrow());
    assertTrue(table.contains("1048576   0.220"), table);

    Path report = directory.resolve("report");
    Report.of(List.of(run)).write(report);
    String markdown = Files.readString(report.resolve("report.md"));
    assertTrue(markdown.contains("| 220 µs |"), markdown);
    List<String> csv = Files.readAllLines(report.resolve("figures.csv"));
    List<String> head = List.of(csv.get(0).split(","));
    double median = Double.parseDouble(csv.get(1).split(",")[head.indexOf("median")]);
    assertEquals(220_000, median, 220);

    ByteArrayOutputStream out = new ByteArrayOutputStream();
    PrintStream stream = new PrintStream(out, true, StandardCharsets.UTF_8);
    String folder = sample.folder().toString();
    assertEquals(
        ExitCode.DONE,
        BenchCommands.run(new CompareCommand(stream, stream), stream, stream, folder, folder));
    String compared = out.toString(StandardCharsets.UTF_8);
    assertTrue(compared.contains("220 µs  220 µs    1.000"), compared);
  }

  private static long[] ns(long... us) {
    return Arrays.stream(us).map(one -> one * 1_000).toArray();
  }
}
