// SPDX-License-Identifier: Apache-2.0
package org.mitosis.report;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.awt.image.BufferedImage;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import javax.imageio.ImageIO;
import javax.xml.parsers.DocumentBuilderFactory;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.mitosis.report.chart.ChartDrawing;
import org.mitosis.report.chart.Look;
import org.mitosis.result.Environment;
import org.mitosis.result.EnvironmentDifference;
import org.mitosis.result.Run;
import org.mitosis.result.SampleRun;
import org.w3c.dom.Document;

class ReportTest {
  private static final String LAZY = "lazy";

  @TempDir Path directory;
  private SampleRun sample;

  @BeforeEach
  void run() throws IOException {
    sample = new SampleRun(directory.resolve("run"));
    for (int mib = 1; mib <= 64; mib *= 8) {
      String bytes = Long.toString((long) mib << 20);
      sample.levels(
          "ForkPrepare.workingSet",
          Map.of("memorySize", bytes),
          "prepare",
          mib * 60_000L,
          mib * 61_000L,
          mib * 62_000L);
      sample.levels("Baseline.fork", Map.of("memorySize", bytes), "fork", mib * 50_000L);
      Map<String, String> resumed = Map.of("memorySize", bytes, "resumeMode", LAZY);
      sample.levels("ForkResume.workingSet", resumed, "resume", 400_000);
      sample.levels("ForkResume.workingSet", resumed, "startup", 800_000);
    }
    sample.levels("EmptyContainer.lean", Map.of(), "startup", 160_000);
    for (String function : List.of("helloworld", "json")) {
      Map<String, String> params = Map.of("functionName", function);
      sample.levels("ForkPrepare.function", params, "prepare", 500_000);
      sample.levels("Baseline.coldStart", params, "coldStart", 20_000_000);
      sample.levels("Baseline.pythonFork", params, "firstResult", 900_000);
    }
    Map<String, String> jvm = Map.of("javaFunction", "json", "collector", "G1", "heap", "128m");
    sample.levels("FirstResult.jvm", jvm, "firstResult", 8_000_000);
    sample.levels("FirstResult.jvmColdStart", jvm, "firstResult", 80_000_000);
    for (String calls : List.of("1", "10", "100")) {
      Map<String, String> several = new TreeMap<>(jvm);
      several.put("calls", calls);
      for (String metric :
          List.of(
              "warm",
              "lastResult",
              "coldStart",
              "timeLine.descriptor",
              "timeLine.go",
              "timeLine.firstStatement",
              "timeLine.lastResult")) {
        sample.levels("Execution.jvm", several, metric, 1_000_000 * calls.length());
      }
    }
    sample.score(
        "org.mitosis.benchmark.Memory.jvm",
        jvm,
        "ms/op",
        List.of(List.of(1e2)),
        Map.of("childPages.heap", List.of(700.0), "childPages.codeCache", List.of(200.0)),
        "pages");
    long[] second = new long[40];
    Arrays.fill(second, 1_000_000);
    sample.selfTimed("PeakThroughput.workingSet", Map.of("loops", "2"), "child", second);
    sample.score(
        "org.mitosis.benchmark.PeakThroughput.workingSet",
        Map.of("loops", "2"),
        "us/op",
        List.of(List.of(1e7)),
        Map.of("stable", List.of(1.0), "stableFrom", List.of(1.0), "stableTo", List.of(3.0)),
        "s");
    Map<String, String> burst = Map.of("memorySize", "1048576", "resumeMode", "replica");
    sample.selfTimed("Burst.workingSet", burst, "untilInstruction", new long[] {1, 2, 4});
    sample.score(
        "org.mitosis.benchmark.Burst.workingSet",
        burst,
        "ms/op",
        List.of(List.of(1e2)),
        Map.of(
            "childMemory",
            List.of(3.0),
            "childMemory.1",
            List.of(4.0),
            "childMemory.2",
            List.of(3.0)),
        "MiB");
    for (int ratio = 0; ratio <= 100; ratio += 50) {
      sample.levels(
          "TouchRatio.workingSet",
          Map.of("touchRatio", "" + ratio),
          "execution",
          1 + ratio * 1000L);
    }
  }

  @Test
  void everyKindOfPlotIsThereInEveryFormat() throws Exception {
    Path folder = write(sample);
    List<String> expected =
        List.of(
            "burst-memory-burst-working-set-1-mi-b",
            "burst-until-instruction-burst-working-set-1-mi-b",
            "forks-fork-prepare-working-set-prepare-64-mi-b",
            "function-first-result",
            "function-prepare",
            "jvm-calls-json",
            "jvm-first-result",
            "jvm-pages",
            "jvm-time-line-json",
            "size-prepare",
            "size-resume",
            "size-startup",
            "throughput-peak-throughput-working-set-all",
            "touch-ratio-execution");
    List<String> names = names(folder.resolve("plots"));
    for (String name : expected) {
      assertTrue(
          names.containsAll(List.of(name + ".svg", name + ".pdf", name + ".png")),
          name + ": " + names);
    }
    for (String name : names) {
      Path file = folder.resolve("plots").resolve(name);
      if (name.endsWith(".svg")) {
        Document document =
            DocumentBuilderFactory.newInstance().newDocumentBuilder().parse(file.toFile());
        assertEquals("svg", document.getDocumentElement().getTagName());
        assertTrue(document.getElementsByTagName("text").getLength() > 5, name + " has no text");
        assertFalse(Files.readString(file).contains("NaN"), name);
      } else if (name.endsWith(".png")) {
        BufferedImage image = ImageIO.read(file.toFile());
        assertEquals(2 * ChartDrawing.WIDTH, image.getWidth());
        assertTrue(has(image, 0xFF000000 | Look.of(0).rgb()), name + " has no line");
      } else {
        assertTrue(Files.readString(file, StandardCharsets.ISO_8859_1).startsWith("%PDF"), name);
      }
    }
  }

  @Test
  void plotsOfAnEarlierReportGoAndFilesOfOthersStay() throws IOException {
    Path folder = write(sample);
    Files.writeString(folder.resolve("plots/mine.png"), "");
    SampleRun less = new SampleRun(directory.resolve("less")).finished();
    less.levels("NilCall.c", Map.of(), "nil", 200, 201, 202);
    write(less);
    assertEquals(
        List.of(
            "forks-nil-call-c-nil-all.pdf",
            "forks-nil-call-c-nil-all.png",
            "forks-nil-call-c-nil-all.svg",
            "mine.png"),
        names(folder.resolve("plots")));
  }

  @Test
  void thePublishedLineIsBesideOurs() throws IOException {
    Path plots = write(sample).resolve("plots");
    assertTrue(Files.readString(plots.resolve("size-prepare.svg")).contains("published, val01"));
    String startup = Files.readString(plots.resolve("size-startup.svg"));
    assertTrue(startup.contains("published startup: from the request to the exit"), startup);
    assertTrue(Files.readString(plots.resolve("size-startup.svg")).contains("published, val02"));
    assertTrue(Files.readString(plots.resolve("size-startup.svg")).contains("EmptyContainer.lean"));
    String first = Files.readString(plots.resolve("function-first-result.svg"));
    assertTrue(first.contains("Baseline.coldStart") && first.contains("Baseline.pythonFork"));
  }

  @Test
  void thePageLoadsNothingAndLinksToFilesThatAreThere() throws IOException {
    Path folder = write(sample);
    String html = Files.readString(folder.resolve("index.html"));
    assertTrue(html.startsWith("<!DOCTYPE html>"));
    assertTrue(html.length() < 2_000_000, html.length() + " characters");
    String own = html.replaceFirst("(?s)<script data-name=\"echarts\">.*?</script>", "");
    assertNotEquals(html, own);
    Matcher links = Pattern.compile("(src|href)=\"([^\"]*)").matcher(own);
    int plots = 0;
    while (links.find()) {
      String to = links.group(2);
      assertTrue(
          to.startsWith("#")
              ? own.contains("id=\"" + to.substring(1) + "\"")
              : Files.exists(folder.resolve(to)),
          to);
      plots += to.startsWith("plots/") && links.group(1).equals("href") ? 1 : 0;
    }
    assertEquals(names(folder.resolve("plots")).size(), plots);
    // Without scripts there are the drawings.
    assertEquals(plots / 3, own.split("<noscript><img ", -1).length - 1);
    assertFalse(own.contains("@import") || own.contains("<script src") || own.contains("<link"));
    assertTrue(own.contains("href=\"../run/hlog/\"") && own.contains("href=\"figures.csv\""));
  }

  @Test
  void theTopOfThePageSaysWhatWasMeasuredWhere() throws IOException {
    String failed = "ForkPrepare.workingSet memorySize=1048576";
    sample.environment(Environment.Outcome.FAILED, List.of(failed));
    String html = Files.readString(write(sample).resolve("index.html"));
    String top = html.substring(html.indexOf("<main>"), html.indexOf("<h2 id="));
    for (String part :
        List.of(
            "<dt>outcome</dt><dd>failed, 1 failed</dd>",
            "<li>" + failed + "</li>",
            "<dt>measured</dt><dd>",
            "<dt>Java</dt><dd>",
            "<h3>Prepare: how long the parent stands still</h3>",
            "3.91 ms <small>3.84 ms to 3.97 ms (75 %)</small>",
            "ForkPrepare.workingSet, 64 MiB",
            "3.36 ms published on val01")) {
      assertTrue(top.contains(part), part + " is not in " + top);
    }
    assertEquals(3, top.split("class=\"key\"", -1).length - 1);
  }

  @Test
  void whatFailedIsMarkedEverywhere() throws IOException {
    String failed = "ForkPrepare.workingSet memorySize=1048576";
    sample.environment(Environment.Outcome.FAILED, List.of(failed));
    Path folder = write(sample);
    String html = Files.readString(folder.resolve("index.html"));
    assertTrue(html.contains("<tr class=\"failed\"><td>1 MiB</td>"));
    assertTrue(html.contains("<li>" + failed + "</li>"));
    assertTrue(Files.readString(folder.resolve("report.md")).contains("**failed**: " + failed));
    assertTrue(
        Files.readString(folder.resolve("figures.csv"))
            .lines()
            .anyMatch(
                line ->
                    line.contains(",1048576,")
                        && line.contains(",prepare,")
                        && line.matches(".*,true,(true|false),2")));
  }

  @Test
  void textFromFilesIsEscaped() throws IOException {
    sample.environment("machine.host", "<script>alert(1)</script>");
    String html = Files.readString(write(sample).resolve("index.html"));
    assertFalse(html.contains("<script>alert"));
    assertTrue(html.contains("&lt;script&gt;"));
  }

  @Test
  void severalRunsAreToldApartAndTheirDifferencesMarked() throws IOException {
    SampleRun other = new SampleRun(directory.resolve("other"));
    other.environment("jvm.version", "99");
    other.levels(
        "ForkPrepare.workingSet", Map.of("memorySize", "1048576"), "prepare", 1000, 1000, 1000);
    other.levels(
        "ForkPrepare.workingSet", Map.of("memorySize", "8388608"), "prepare", 1000, 1000, 1000);
    Path folder = write(sample, other.finished());
    String html = Files.readString(folder.resolve("index.html"));
    assertTrue(html.contains("A: run</h2>") && html.contains("B: other</h2>"));
    assertTrue(html.contains("<tr class=\"differs\"><td>Java</td>"));
    String svg = Files.readString(folder.resolve("plots/size-prepare.svg"));
    assertTrue(
        svg.contains("A: ForkPrepare.workingSet") && svg.contains("B: ForkPrepare.workingSet"));
    Path ratios = folder.resolve("plots/runs-prepare.svg");
    assertTrue(Files.readString(ratios).contains("B: ForkPrepare.workingSet"));
    // 61 µs became 1 µs.
    assertTrue(html.contains("0.016 times"));
    assertFalse(names(write(sample).resolve("plots")).contains("runs-prepare.svg"));
  }

  @Test
  void figuresAreAlsoCommaSeparated() throws IOException {
    List<String> lines = Files.readAllLines(write(sample).resolve("figures.csv"));
    List<String> head = List.of(lines.get(0).split(","));
    String[] prepare =
        lines.stream()
            .filter(line -> line.contains("ForkPrepare.workingSet") && line.contains(",1048576,"))
            .findFirst()
            .orElseThrow()
            .split(",", -1);
    assertEquals(head.size(), prepare.length);
    assertEquals(61_000, Double.parseDouble(prepare[head.indexOf("median")]), 100);
    assertEquals("0.75", prepare[head.indexOf("confidence")]);
    assertEquals("648000", prepare[head.indexOf("published")]);
    assertEquals("val01", prepare[head.indexOf("published_on")]);
    assertEquals("75", prepare[head.indexOf("samples")]);
  }

  @Test
  void aFigureBelowTheNoiseFloorSaysSo() throws IOException {
    sample.levels("NilCall.c", Map.of(), "nil", 100_000);
    assertTrue(
        Files.readString(write(sample).resolve("report.md")).contains("below the noise floor"));
  }

  /** 32 threads take 310 µs more than one does: 10 µs each. */
  @Test
  void aFurtherThreadHasItsCost() throws IOException {
    for (String work : List.of("idle", "busy")) {
      long each = work.equals("idle") ? 10_000 : 30_000;
      for (int threads : List.of(1, 32)) {
        sample.levels(
            "ForkPrepare.threads",
            Map.of("threads", "" + threads, "threadWork", work),
            "prepare",
            100_000 + (threads - 1) * each);
      }
    }
    List<String> rows = rowsOf("ForkPrepare.threads, prepare");
    assertTrue(rows.get(0).contains("a further thread"), rows.get(0));
    assertEquals(
        List.of("10.0 µs", "30.0 µs"),
        rows.stream()
            .flatMap(row -> Stream.of("10.0 µs", "30.0 µs").filter(row::contains))
            .sorted()
            .toList());
  }

  /** The rows of a table of the sample's report, by its title. */
  private List<String> rowsOf(String title) throws IOException {
    return Files.readAllLines(write(sample).resolve("report.md")).stream()
        .dropWhile(line -> !line.equals("### " + title))
        .skip(1)
        .takeWhile(line -> !line.startsWith("#"))
        .filter(line -> line.startsWith("|"))
        .toList();
  }

  /** 10 files take 200 µs more than none does: 20 µs each, whatever a thread costs. */
  @Test
  void aFurtherFileHasItsCost() throws IOException {
    for (int threads : List.of(1, 32)) {
      for (int files : List.of(0, 10)) {
        sample.levels(
            "ForkPrepare.threads",
            Map.of("threads", "" + threads, "threadWork", "idle", "files", "" + files),
            "prepare",
            100_000 + (threads - 1) * 10_000 + files * 20_000);
      }
    }
    List<String> rows = rowsOf("ForkPrepare.threads, prepare");
    assertTrue(rows.get(0).contains("| a further thread | a further file |"), rows.get(0));
    assertEquals(2, rows.stream().filter(row -> row.contains(" 20.0 µs ")).count(), rows::toString);
    assertEquals(2, rows.stream().filter(row -> row.contains(" 10.0 µs ")).count(), rows::toString);
  }

  @Test
  void aDisturbedRowSaysSo() throws IOException {
    sample.levels("ForkPrepare.function", Map.of("functionName", "json"), "prepare", 1_000);
    sample.score(
        "org.mitosis.benchmark.ForkPrepare.function",
        Map.of("functionName", "json"),
        "us/op",
        List.of(List.of(1.0)),
        Map.of("machine.throttled", List.of(30.0)),
        "%");
    Path report = write(sample);
    assertTrue(
        Files.readString(report.resolve("report.md"))
            .contains("stopped by the CPU limit in 1 iteration, up to 30.0 %"));
    assertFalse(Files.readString(report.resolve("figures.csv")).contains("machine.throttled"));
  }

  @Test
  void childrenInAnotherContainerAreADifference() throws IOException {
    SampleRun other = new SampleRun(directory.resolve("other")).finished();
    for (SampleRun one : List.of(sample, other)) {
      one.levels("ForkResume.workingSet", Map.of(), "resume", 1_000);
      for (Path log : logs(one.folder().resolve("hlog"))) {
        String kind =
            one == sample ? "v2; resume mode auto is clone" : "none (no control groups: EACCES)";
        Files.writeString(
            log, "#[container = lean: control groups " + kind + "]\n", StandardOpenOption.APPEND);
      }
    }
    assertEquals(
        List.of(
            "containers of children: lean: control groups v2; resume mode auto is clone"
                + " / lean: control groups none (no control groups: EACCES)"),
        RunComparison.of(Run.read(sample.folder()), Run.read(other.folder())).differences().stream()
            .map(EnvironmentDifference::toString)
            .toList());
    assertTrue(
        Files.readString(write(other).resolve("report.md"))
            .contains("weaker container: lean: control groups none (no control groups: EACCES)"));
    assertTrue(
        Files.readString(write(sample).resolve("report.md"))
            .contains("| resume mode auto is clone"));
  }

  private static List<Path> logs(Path folder) throws IOException {
    try (Stream<Path> files = Files.list(folder)) {
      return files.toList();
    }
  }

  @Test
  void thatARunIsTooShortToShowWarmUpIsSaidOnceForAllItsFigures() throws IOException {
    SampleRun brief = new SampleRun(directory.resolve("brief"));
    brief.levels("ForkPrepare.workingSet", Map.of("memorySize", "1048576"), "prepare", 60_000L);
    for (String size : List.of("4096", "8192")) {
      Map<String, String> params = Map.of("memorySize", size);
      brief.selfTimed(
          "ForkPrepare.workingSet", params, "prepare", new long[] {1, 1, 1}, new long[] {1, 1, 1});
    }
    brief.selfTimed("PeakThroughput.workingSet", Map.of(), "child", new long[20]);
    brief.score(
        "org.mitosis.benchmark.PeakThroughput.workingSet",
        Map.of(),
        "us/op",
        List.of(List.of(1.0)),
        Map.of("peak", List.of(1.0)),
        "ops/s");
    Path folder = write(brief);
    String text = "fewer than 10 values in time";
    for (String file : List.of("report.md", "index.html")) {
      String report = Files.readString(folder.resolve(file));
      assertEquals(2, report.split(text, -1).length, file);
      assertTrue(report.contains("2 of 5 figures have forks with " + text), file);
      assertFalse(report.contains("too short"), file);
    }
    String md = Files.readString(folder.resolve("report.md"));
    assertEquals(2, md.lines().filter(line -> line.contains("| flat")).count(), md);
  }

  @Test
  void whatCouldNotBeReadIsInTheReport() throws IOException {
    Files.writeString(sample.folder().resolve("jmh.json"), "[ {");
    String html = Files.readString(write(sample).resolve("index.html"));
    assertTrue(html.contains("class=\"box problems\""));
    assertTrue(html.contains("is damaged after 0 results"));
  }

  private Path write(SampleRun... samples) throws IOException {
    List<Run> runs = new ArrayList<>();
    for (SampleRun one : samples) {
      runs.add(Run.read(one.folder()));
    }
    Path folder = directory.resolve("report");
    Report.of(runs).write(folder);
    return folder;
  }

  private static List<String> names(Path folder) throws IOException {
    try (Stream<Path> files = Files.list(folder)) {
      return files.map(file -> file.getFileName().toString()).sorted().toList();
    }
  }

  private static boolean has(BufferedImage image, int rgb) {
    for (int y = 0; y < image.getHeight(); y++) {
      for (int x = 0; x < image.getWidth(); x++) {
        if (image.getRGB(x, y) == rgb) {
          return true;
        }
      }
    }
    return false;
  }
}
