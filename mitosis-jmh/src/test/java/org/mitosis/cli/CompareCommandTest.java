// SPDX-License-Identifier: Apache-2.0
package org.mitosis.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.mitosis.result.Environment;
import org.mitosis.result.SampleRun;

class CompareCommandTest {
  private static final String PREPARE = "ForkPrepare.workingSet";
  private static final Map<String, String> SMALL = Map.of("memorySize", "1048576");
  private static final Map<String, String> LARGE = Map.of("memorySize", "67108864");

  @TempDir Path directory;
  private final ByteArrayOutputStream out = new ByteArrayOutputStream();
  private final ByteArrayOutputStream err = new ByteArrayOutputStream();
  private SampleRun old;
  private SampleRun now;

  @BeforeEach
  void runs() throws IOException {
    old = new SampleRun(directory.resolve("old"));
    now = new SampleRun(directory.resolve("new"));
    old.levels(PREPARE, SMALL, "prepare", 100_000, 101_000, 102_000, 103_000, 104_000, 105_000);
    now.levels(PREPARE, SMALL, "prepare", 120_000, 121_000, 122_000, 123_000, 124_000, 125_000);
    old.levels(PREPARE, LARGE, "prepare", 900_000, 910_000, 920_000, 930_000, 940_000, 950_000);
    now.levels(PREPARE, LARGE, "prepare", 905_000, 915_000, 925_000, 935_000, 945_000, 945_000);
    old.finished();
    now.finished();
  }

  @Test
  void aDifferenceIsToldAndAllElseIsNot() {
    assertEquals(0, compare());
    String small = line("1 MiB");
    assertTrue(small.matches(".* 10[23] µs +12[23] µs +1\\.19\\d .*\\+19\\.\\d % worse"), small);
    assertTrue(line("64 MiB").endsWith("~"), text());
    assertTrue(line("geometric mean").contains("1.09"), text());
    assertTrue(text().contains("corrected over 2 figures (Benjamini-Hochberg)"), text());
    assertFalse(text().contains("warning"), text());
    assertEquals("", err.toString(StandardCharsets.UTF_8));
  }

  @Test
  void theOtherWayRoundItIsBetter() {
    assertEquals(0, run("--fail-above", "1%", now.folder().toString(), old.folder().toString()));
    assertTrue(line("1 MiB").contains("better"), text());
  }

  @Test
  void tablesAreMadeByParameters() {
    assertEquals(0, compare("--by", "memorySize"));
    assertTrue(text().contains("\nmemorySize=1048576\n"), text());
    assertTrue(line("ForkPrepare.workingSet, prepare").contains(" µs"), text());
  }

  @Test
  void aParameterThatNoFigureHasIsRefused() {
    assertEquals(2, compare("--by", "memorysize"));
    assertTrue(
        errors()
            .contains(
                "--by: no figure of both runs has the parameter memorysize (did you mean"
                    + " 'memorySize'?); they have memorySize"),
        errors());
    assertEquals("", text());
  }

  @Test
  void theExitCodeIsForScripts() throws IOException {
    assertEquals(4, compare("--fail-above", "5%"));
    assertTrue(errors().contains("is worse by 19."), errors());
    assertEquals(0, compare("--fail-above", "30%"));
    now.environment(Environment.Outcome.FAILED, List.of("ForkResume.workingSet"));
    assertEquals(4, compare("--fail-above", "30%"));
    assertTrue(errors().contains("fails in the new run only"), errors());
  }

  @Test
  void environmentsThatDifferInWhatMattersAreRefused() throws IOException {
    old.environment("jvm.version", "21.0.1");
    assertEquals(1, compare());
    assertTrue(errors().contains("the environments differ in Java: 21.0.1 / "), errors());
    assertTrue(errors().contains("--force"), errors());
    assertEquals("", text());
    assertEquals(0, compare("--force"));
    assertTrue(line("1 MiB").contains("worse"), text());
  }

  @Test
  void whatIsVariedMayDiffer() throws IOException {
    old.environment("jvm.version", "21.0.1");
    old.environment("backend.chosen", "kernel");
    assertEquals(1, compare("--vary", "java"));
    assertEquals(1, compare("--vary", ""));
    assertEquals(0, compare("--vary", "java,Backend"));
    assertTrue(errors().contains("the environments differ in Java: 21.0.1 / "), errors());
    assertTrue(line("1 MiB").contains("worse"), text());
  }

  @Test
  void warnsOfAnUnknownEnvironment() throws IOException {
    Files.delete(old.folder().resolve("environment.json"));
    assertEquals(0, compare());
    assertTrue(errors().contains("the environment of one run is unknown"), errors());
  }

  @Test
  void whatFailedInPartIsMarkedAndSoIsItsMean() throws IOException {
    now.environment(
        Environment.Outcome.FAILED, List.of("ForkPrepare.workingSet memorySize=67108864"));
    assertEquals(0, compare());
    assertTrue(line("64 MiB").endsWith("failed in part"), text());
    assertTrue(line("geometric mean").endsWith("includes a failed one"), text());
  }

  @Test
  void aDifferenceBelowTheNoiseFloorIsNotReported() throws IOException {
    now.levels("NilCall.c", Map.of(), "nil", 30_000, 30_000, 30_000); // of one run: no control
    assertEquals(0, compare());
    assertTrue(line("1 MiB").endsWith("~"), text());
  }

  @Test
  void ofOneForkNoDifferenceCanBeFoundAndThatIsSaid() throws IOException {
    SampleRun few = new SampleRun(directory.resolve("few"));
    few.levels(PREPARE, SMALL, "prepare", 1_000).finished();
    assertEquals(0, run(old.folder().toString(), few.folder().toString()));
    assertTrue(line("1 MiB").matches(".* none +~"), text());
    assertTrue(text().contains("warning: a figure has one fork on a side"), text());
    assertTrue(text().contains("only in old: ForkPrepare.workingSet, prepare"), text());
  }

  @Test
  void ofFewSamplesThereIsNoVerdict() throws IOException {
    SampleRun before = new SampleRun(directory.resolve("before"));
    SampleRun after = new SampleRun(directory.resolve("after"));
    for (int fork = 0; fork < 6; fork++) {
      before.selfTimed(PREPARE, SMALL, "prepare", new long[] {100, 100, 100, 100 + fork});
      after.selfTimed(PREPARE, SMALL, "prepare", new long[] {900, 900, 900, 900 + fork});
    }
    before.finished();
    after.finished();
    assertEquals(0, run(before.folder().toString(), after.folder().toString()));
    assertTrue(line("1 MiB").endsWith("~, few samples"), text());
  }

  @Test
  void aMissingForkMarksTheRowAndCountsAsAFailure() throws IOException {
    SampleRun short2 = new SampleRun(directory.resolve("short")).asks(3, 5);
    short2.levels(PREPARE, SMALL, "prepare", 100_000, 101_000).finished();
    assertEquals(
        4, run("--fail-above", "900%", old.folder().toString(), short2.folder().toString()));
    assertTrue(line("1 MiB").endsWith("2 of 3 forks in new"), text());
    assertTrue(errors().contains("fails in the new run only"), errors());
  }

  @Test
  void aMachineThatChangedIsTakenIntoAccount() throws IOException {
    long[] level = {100_000, 100_100, 100_200, 100_300, 100_400, 100_500};
    long[] slower = Arrays.stream(level).map(ns -> ns * 5 / 4).toArray();
    old.levels("Baseline.fork", SMALL, "fork", level);
    now.levels("Baseline.fork", SMALL, "fork", slower);
    assertEquals(0, compare());
    assertTrue(text().contains("the machine changed: controls differ by 25."), text());
    List<String> rows = text().lines().filter(line -> line.startsWith("1 MiB")).toList();
    assertTrue(
        rows.stream().anyMatch(row -> row.endsWith("~, within the change of the machine")),
        "prepare, 19 %: " + text());
    assertTrue(text().contains("% worse, control"), "the control itself: " + text());
    assertEquals(0, compare("--format", "json"));
    JsonNode json = new ObjectMapper().readTree(text());
    assertEquals(0.25, json.get("machineChange").asDouble(), 0.01);
    for (JsonNode row : json.get("rows")) {
      boolean prepareSmall =
          row.get("metric").asText().equals("prepare")
              && row.at("/params/memorySize").asText().equals("1048576");
      assertEquals(prepareSmall, row.get("withheld").asBoolean(), row.toString());
    }
  }

  @Test
  void aChangeBeyondThatOfTheMachineKeepsItsVerdict() throws IOException {
    long[] level = {100_000, 100_100, 100_200, 100_300, 100_400, 100_500};
    old.levels("Baseline.fork", SMALL, "fork", level);
    now.levels(
        "Baseline.fork", SMALL, "fork", Arrays.stream(level).map(ns -> ns * 21 / 20).toArray());
    assertEquals(0, compare());
    assertTrue(text().contains("the machine changed: controls differ by 5."), text());
    String prepare =
        text().lines().filter(line -> line.matches("1 MiB .*12[23] µs.*")).findFirst().orElse("");
    assertTrue(prepare.endsWith("% worse"), text());
    assertFalse(text().contains("~, within"), text());
  }

  @Test
  void withoutControlsThatIsSaid() throws IOException {
    assertEquals(0, compare());
    assertTrue(text().contains("no control (Baseline.fork, Baseline.spawn, NilCall.c)"), text());
    old.levels("NilCall.c", Map.of(), "nil", 30, 30, 30);
    now.levels("NilCall.c", Map.of(), "nil", 30, 30, 30);
    assertEquals(0, compare());
    assertFalse(text().contains("no control"), text());
    assertTrue(text().contains("~, control"), text());
  }

  @Test
  void whatMakesEachSideLessReliableIsSaid() throws IOException {
    old.environment("warnings", "other processes use the CPUs");
    assertEquals(0, compare());
    assertEquals("mitosis: old: warning: other processes use the CPUs\n", errors());
  }

  @Test
  void timeThatTheMachineTookIsSaid() throws IOException {
    now.score(
        "org.mitosis.benchmark." + PREPARE,
        SMALL,
        "us/op",
        List.of(List.of(100.0)),
        Map.of("machine.steal", List.of(9.0)),
        "%");
    assertEquals(0, compare());
    assertTrue(
        text()
            .contains(
                "warning: in new the machine took time from 1 of 2 figures, such as: steal in 1"
                    + " iteration, up to 9.0 %\n"),
        text());
    assertFalse(text().contains("in old the machine took time"), text());
    assertFalse(text().contains("machine.steal"), text());
  }

  @Test
  void aPlanSaysHowManyForksAChangeTakes() {
    assertEquals(0, run("--plan", old.folder().toString(), "--effect", "5%"));
    assertTrue(
        text().lines().anyMatch(row -> row.matches("ForkPrepare.* prepare +6 +1\\.8. % +\\d+")),
        text());
    assertTrue(text().contains("to find a change of 5 % of any one figure among 2"), text());
    assertEquals(2, run("--plan", old.folder().toString()));
    assertTrue(errors().contains("needs --effect"), errors());
  }

  @Test
  void otherProgramsGetTheSameAsTheTable() throws IOException {
    assertEquals(0, compare("--format", "json"));
    JsonNode json = new ObjectMapper().readTree(text());
    assertEquals(1, json.get("format").asInt());
    JsonNode small = json.get("rows").get(0);
    assertEquals("1048576", small.get("params").get("memorySize").asText());
    assertEquals("worse", small.get("verdict").asText());
    assertEquals(1.195, small.get("ratio").asDouble(), 0.001);
    assertTrue(small.get("low").asDouble() > 1.1 && small.get("high").asDouble() < 1.3);
    assertTrue(text().endsWith("}\n"), text());

    assertEquals(0, compare("--format", "csv"));
    List<String> lines = text().lines().toList();
    assertEquals(3, lines.size());
    assertTrue(lines.get(0).startsWith("format,benchmark,param.memorySize,metric,unit,old,new,"));
    assertTrue(lines.get(1).contains(",worse,false,"), lines.get(1));

    assertEquals(0, compare("--format", "md"));
    assertTrue(text().contains("### ForkPrepare.workingSet, prepare\n\n|"), text());
    assertEquals(4, compare("--format", "json", "--fail-above", "5%"));
    assertEquals(2, compare("--format", "xml"));
    assertTrue(errors().contains("got 'xml'"), errors());
  }

  @Test
  void withoutAnIntervalJsonHasNulls() throws IOException {
    SampleRun few = new SampleRun(directory.resolve("few"));
    few.levels(PREPARE, SMALL, "prepare", 1_000).finished();
    String[] sides = {old.folder().toString(), few.folder().toString()};
    assertEquals(0, run("--format", "json", sides[0], sides[1]));
    JsonNode row = new ObjectMapper().readTree(text()).get("rows").get(0);
    assertTrue(row.get("low").isNull() && row.get("p").isNull(), row.toString());
    assertEquals("unsure", row.get("verdict").asText());
  }

  @Test
  void holmCanBeChosen() {
    assertEquals(0, compare("--correction", "holm"));
    assertTrue(text().contains("corrected over 2 figures (Holm)"), text());
    assertEquals(2, compare("--correction", "bonferroni"));
    assertTrue(errors().contains("got 'bonferroni'"), errors());
  }

  @Test
  void twoRunsWithNothingInCommonAreListed() throws IOException {
    SampleRun other = new SampleRun(directory.resolve("other"));
    other.levels("ForkResume.workingSet", SMALL, "resume", 1_000, 1_000, 1_000).finished();
    assertEquals(1, run(old.folder().toString(), other.folder().toString()));
    assertTrue(errors().contains("have no figure in common"), errors());
    assertTrue(text().contains("ForkPrepare.workingSet, prepare"), text());
    assertTrue(text().contains("ForkResume.workingSet, resume"), text());
  }

  @Test
  void whatCanBeReadIsShownBesideWhatCannot() throws IOException {
    Path empty = Files.createDirectories(directory.resolve("empty"));
    assertEquals(1, run(old.folder().toString(), empty.toString()));
    assertTrue(errors().contains("holds no results"), errors());
    assertTrue(text().contains("ForkPrepare.workingSet, prepare"), text());
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "",
        "a",
        "a b c",
        "--by",
        "--fail-above five a b",
        "--fail-above",
        "--vary",
        "--what a b"
      })
  void badArgumentsAreASentence(String line) {
    assertEquals(2, run(line.isEmpty() ? new String[0] : line.split(" ")));
    assertTrue(errors().contains("compare --help"), errors());
    assertEquals(1, errors().lines().count());
  }

  @Test
  void helpIsHelp() {
    assertEquals(0, run("--help"));
    assertTrue(text().contains("--fail-above=N%"), text());
  }

  private int compare(String... options) {
    String[] args = new String[options.length + 2];
    System.arraycopy(options, 0, args, 0, options.length);
    args[options.length] = old.folder().toString();
    args[options.length + 1] = now.folder().toString();
    return run(args);
  }

  private int run(String... args) {
    out.reset();
    err.reset();
    PrintStream stdout = new PrintStream(out, true, StandardCharsets.UTF_8);
    PrintStream stderr = new PrintStream(err, true, StandardCharsets.UTF_8);
    return BenchCommands.run(new CompareCommand(stdout, stderr), stdout, stderr, args).number();
  }

  private String line(String start) {
    return text().lines().filter(line -> line.startsWith(start)).findFirst().orElse("");
  }

  private String text() {
    return out.toString(StandardCharsets.UTF_8);
  }

  private String errors() {
    return err.toString(StandardCharsets.UTF_8);
  }
}
