// SPDX-License-Identifier: Apache-2.0
package org.mitosis.report;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.mitosis.result.Run;

/**
 * Every measured figure of the documents is that of a packed run in results/, which is named beside
 * it. With {@value #WRITE}{@code =true} the documents are written again.
 */
class DocumentedFiguresTest {
  private static final String WRITE = "mitosis.documents.write";
  private static final Path ROOT = Path.of("..");
  private static final Path RESULTS = ROOT.resolve("results");
  private static final String ALL = "2026-11-25T055447Z-vm-all";

  private final MeasuredText measured = new MeasuredText(name -> RESULTS.resolve(name + ".zip"));

  @BeforeEach
  void results() {
    assumeTrue(
        Files.exists(RESULTS.resolve(ALL + ".zip")),
        "SKIP documents: the packed runs are not beside this module");
  }

  @Test
  void theCommittedReportsAreOfTheCommittedRuns() throws IOException {
    List<Path> packed;
    try (Stream<Path> files = Files.list(RESULTS)) {
      packed = files.filter(file -> file.toString().endsWith(".zip")).sorted().toList();
    }
    assertFalse(packed.isEmpty());
    for (Path zip : packed) {
      Path csv = Path.of(zip.toString().replaceFirst("\\.zip$", "-report"), "figures.csv");
      assertEquals(
          Report.of(List.of(Run.read(zip))).csv().replace("\r\n", "\n"),
          Files.readString(csv).replace("\r\n", "\n"),
          csv + ": make it again with './bench report'");
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {"README.md", "docs/performance.md"})
  void theFiguresOfADocumentAreThoseOfTheRunsThatItNames(String name) throws IOException {
    Path file = ROOT.resolve(name);
    String text = Files.readString(file);
    assertFalse(MeasuredText.runsOf(text).isEmpty(), "it names a run");
    String rendered = measured.rendered(text);
    if (Boolean.getBoolean(WRITE)) {
      Files.writeString(file, rendered);
      return;
    }
    assertEquals(
        rendered,
        text,
        name + " has other figures than the run: write it again as results/README.md says");
  }

  @ParameterizedTest
  @ValueSource(strings = {"README.md", "docs/performance.md"})
  void noFigureOfADocumentIsWithoutARun(String name) throws IOException {
    assertEquals(
        List.of(), MeasuredText.figuresOutside(Files.readString(ROOT.resolve(name))), name);
  }

  @ParameterizedTest
  @ValueSource(strings = {"README.md", "docs/performance.md"})
  void theTextOfABlockIsMadeOfTheRunAlone(String name) throws IOException {
    String page = Files.readString(ROOT.resolve(name));
    String rendered = measured.rendered(page);
    String emptied = page.replaceAll("(?ms)(^<!-- measured .*?^-->\\n).*?(^<!-- end -->$)", "$1$2");
    assertNotEquals(page, emptied);
    assertEquals(rendered, measured.rendered(emptied));
    String wrong = emptied.replace("<!-- end -->", "213 ms\n<!-- end -->");
    assertEquals(rendered, measured.rendered(wrong), "so that the text with 213 ms differs");
  }

  @ParameterizedTest
  @CsvSource({
    "It takes 213 ms there., 213 ms",
    "a row | 0.107ms |, 0.107ms",
    "some 10\u2009151 a second, 151 a second",
    "0.18 times the fork, 0.18 times",
    "    ForkPrepare.jvm avgt 2087.207 us/op, 2087.207 us/op",
    "within 34 minutes, 34 minutes",
  })
  void aFigureInASentenceIsFound(String sentence, String figure) {
    assertEquals(List.of(figure), MeasuredText.figuresOutside(sentence));
  }

  @Test
  void optionsAndSizesAreNoFigures() {
    assertEquals(
        List.of(),
        MeasuredText.figuresOutside("`./bench -r 200ms` of 64 MiB, Linux 6.1 to 6.12, 3 sizes"));
  }

  @Test
  void aFigureThatTheRunDoesNotHaveIsNamed() {
    String missing = "<!-- measured " + ALL + "\n{Baseline.spawn nothing}\n-->\n<!-- end -->";
    assertTrue(
        assertThrows(IllegalArgumentException.class, () -> measured.rendered(missing))
            .getMessage()
            .contains("0 figures {Baseline.spawn nothing}"));
    String several = "<!-- measured " + ALL + "\n{Baseline.fork fork}\n-->\n<!-- end -->";
    assertTrue(
        assertThrows(IllegalArgumentException.class, () -> measured.rendered(several))
            .getMessage()
            .contains("figures {Baseline.fork fork}, must be one"));
  }
}
