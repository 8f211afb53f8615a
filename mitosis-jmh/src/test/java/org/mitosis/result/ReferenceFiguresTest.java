// SPDX-License-Identifier: Apache-2.0
package org.mitosis.result;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.io.StringReader;
import java.util.OptionalDouble;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.mitosis.fixture.MemorySize;

class ReferenceFiguresTest {
  @ParameterizedTest
  @CsvSource({"1048576, 0.648", "67108864, 3.362", "1073741824, 42.7"})
  void theMedianOfThePublishedLinesOfAWorkingSet(String memorySize, double medianMs) {
    ReferenceFigures figures = ReferenceFigures.of(ReferenceFigures.FORK_PREPARE_WORKING_SET);
    assertEquals(OptionalDouble.of(medianMs), figures.medianMs(memorySize, "prepare"));
  }

  @ParameterizedTest
  @CsvSource({"image, 2.73", "helloworld, 0.8", "recognition, 18.39"})
  void theMedianOfThePublishedLinesOfAFunction(String function, double medianMs) {
    ReferenceFigures figures = ReferenceFigures.of(ReferenceFigures.FORK_PREPARE_FUNCTION);
    assertEquals(OptionalDouble.of(medianMs), figures.medianMs(function, "prepare"));
  }

  @ParameterizedTest
  @CsvSource({
    "fork-prepare-working-set, prepare, val01",
    "fork-resume-working-set, startup, val02",
    "execution-working-set, execution, val01"
  })
  void everySizeOfTheDefaultSweepWasPublished(String section, String figure, String host) {
    ReferenceFigures figures = ReferenceFigures.of(section);
    for (MemorySize size : MemorySize.ARTIFACT_SIZES) {
      assertTrue(figures.medianMs(size.toString(), figure).isPresent(), size.toString());
    }
    assertEquals(host, figures.hosts());
    assertTrue(figures.has(figure));
    assertFalse(figures.has("resume"));
  }

  @Test
  void anEvenNumberOfLinesHasItsMedianBetweenTheMiddleTwo() throws IOException {
    ReferenceFigures figures =
        read(
            "trace,host,value,unit,figure,line\na,h,4,ms,x,1\na,h,1,ms,x,1\na,h,2,ms,x,1\na,h,9,ms,x,1\n");
    assertEquals(OptionalDouble.of(3), figures.medianMs("a", "x"));
  }

  @Test
  void whatWasNotPublishedIsEmptyAndNotGuessed() throws IOException {
    ReferenceFigures figures =
        read("# comment\ntrace,host,value,unit,figure,line\na,h,350.5,containers/s,x,1\n");
    assertEquals(OptionalDouble.empty(), figures.medianMs("a", "x"));
    assertEquals(OptionalDouble.empty(), figures.medianMs("b", "x"));
  }

  @Test
  void aFileOfAnotherFormatIsRefusedWithTheLine() {
    assertTrue(
        assertThrows(IllegalArgumentException.class, () -> read("trace,value\n1,2\n"))
            .getMessage()
            .contains("trace,value"));
    assertThrows(
        IllegalArgumentException.class, () -> read("trace,host,value,unit,figure,line\na,h,1\n"));
    assertThrows(IllegalArgumentException.class, () -> ReferenceFigures.of("no-such-section"));
  }

  private static ReferenceFigures read(String text) throws IOException {
    return ReferenceFigures.read(new StringReader(text));
  }
}
