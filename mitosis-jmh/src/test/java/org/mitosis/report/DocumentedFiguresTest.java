// SPDX-License-Identifier: Apache-2.0
package org.mitosis.report;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.math.BigDecimal;
import java.math.MathContext;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.mitosis.result.Estimate;
import org.mitosis.result.Figure;
import org.mitosis.result.Run;

/** The headline figures of README.md and docs/performance.md are those of the committed run. */
class DocumentedFiguresTest {
  private static final Path ROOT = Path.of("..");
  private static final String NAME = "2026-11-25T055447Z-vm-all";
  private static Run run;

  @BeforeAll
  static void committedRun() throws IOException {
    Path packed = ROOT.resolve("results/" + NAME + ".zip");
    assumeTrue(Files.exists(packed), "SKIP documents: results/ is not beside this module");
    run = Run.read(packed);
  }

  @Test
  void theCommittedReportIsOfTheCommittedRun() throws IOException {
    Path csv = ROOT.resolve("results/" + NAME + "-report/figures.csv");
    String committed = Files.readString(csv);
    assertEquals(
        Report.of(List.of(run)).csv().replace("\r\n", "\n"), committed.replace("\r\n", "\n"));
  }

  @Test
  void theHeadlineFiguresAreThoseOfTheRun() throws IOException {
    String page = Files.readString(ROOT.resolve("docs/performance.md"));
    has(
        page,
        overFork("1048576", 1e3)
            + " us, "
            + overFork("67108864", 1e6)
            + " ms, "
            + overFork("1073741824", 1e6)
            + " ms |");
    has(page, "| " + resume("local") + " ms, " + resume("tcp") + " ms |");
    has(page, "| " + text(spawn(), 1e6) + " ms |");
    has(page, "| " + firstResult() + " ms; " + coldStart() + " ms |");
  }

  @Test
  void theReadmeHasTheSame() throws IOException {
    String page = Files.readString(ROOT.resolve("README.md")).replaceAll("\\s+", " ");
    has(
        page,
        "takes "
            + ratio("1048576")
            + " (1 MiB), "
            + ratio("67108864")
            + " (64 MiB) and "
            + ratio("1073741824")
            + " (1 GiB) times a fork(2)");
    has(
        page,
        "takes "
            + resume("local")
            + " ms on the same machine and "
            + resume("tcp")
            + " ms over TCP: "
            + twoDigits(resumeNs("local") / spawn())
            + " and "
            + twoDigits(resumeNs("tcp") / spawn())
            + " times the fork, exec and exit");
    has(
        page,
        "over TCP: " + firstResult() + " ms, where a cold start takes " + coldStart() + " ms");
  }

  private static void has(String page, String text) {
    assertTrue(page.contains(text), "the run has: " + text);
  }

  private static String overFork(String size, double nsPerUnit) {
    return text(turnByTurn("prepare", size), nsPerUnit)
        + " / "
        + text(turnByTurn("fork", size), nsPerUnit);
  }

  private static String ratio(String size) {
    return twoDigits(turnByTurn("prepare", size) / turnByTurn("fork", size));
  }

  private static double turnByTurn(String metric, String size) {
    return median("PrepareOverFork.turnByTurn", metric, Map.of("memorySize", size));
  }

  private static double resumeNs(String transport) {
    return median(
        "ForkResume.workingSet",
        "resume",
        Map.of("memorySize", "1073741824", "transport", transport));
  }

  private static String resume(String transport) {
    return text(resumeNs(transport), 1e6);
  }

  private static double spawn() {
    return median("Baseline.spawn", "spawn", Map.of());
  }

  private static String firstResult() {
    return text(
        median(
            "FirstResult.function",
            "firstResult",
            Map.of("functionName", "recognition", "transport", "tcp")),
        1e6);
  }

  private static String coldStart() {
    return text(
        median("Baseline.coldStart", "coldStart", Map.of("functionName", "recognition")), 1e6);
  }

  /** The median of the only figure with these parameters. */
  private static double median(String benchmark, String metric, Map<String, String> params) {
    List<Figure> found =
        run.figures().stream()
            .filter(figure -> figure.shortName().equals(benchmark))
            .filter(figure -> figure.metric().equals(metric))
            .filter(figure -> figure.params().entrySet().containsAll(params.entrySet()))
            .toList();
    assertEquals(1, found.size(), benchmark + " " + metric + " " + params);
    return Estimate.of(found.get(0)).median();
  }

  private static String text(double ns, double nsPerUnit) {
    return BigDecimal.valueOf(ns / nsPerUnit).round(new MathContext(3)).toPlainString();
  }

  private static String twoDigits(double ratio) {
    return String.format(Locale.ROOT, "%.2f", ratio);
  }
}
