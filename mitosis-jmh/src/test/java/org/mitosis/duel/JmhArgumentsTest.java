// SPDX-License-Identifier: Apache-2.0
package org.mitosis.duel;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.mitosis.fixture.CpuPlan;

class JmhArgumentsTest {
  private static final Listing LISTING =
      Listing.parse(
          """
          org.mitosis.benchmark.ForkResume.workingSet
            param "memorySize" = {1m, 2m}
            param "protection" = {sealed}
            param "transport" = {tcp}
          """);
  private static final String EXACTLY = "^\\Qorg.mitosis.benchmark.ForkResume.workingSet\\E$";

  @Test
  void aBlockHasOneForkOfOneBenchmarkAndOneValueOfEachParameter() {
    JmhArguments arguments =
        of("ForkResume", "-wi", "1", "-p", "memorySize=1m,2m", "-i", "3", "NilCall", "-e", "Nil");
    // JMH would add up the values of two -p of one name.
    assertEquals(
        List.of("-wi", "1", "-i", "3", "-f", "1", "-p", "memorySize=2m", EXACTLY),
        arguments.block(LISTING.items().get(1), LISTING));
  }

  @Test
  void theHarnessChoosesADefaultThatNobodyAskedFor() {
    Item item = LISTING.items().get(0);
    assertEquals(List.of("-f", "1", "-p", "memorySize=1m", EXACTLY), of().block(item, LISTING));
    assertEquals(
        List.of(
            "-f",
            "1",
            "-p",
            "memorySize=1m",
            "-p",
            "protection=sealed",
            "-p",
            "transport=tcp",
            EXACTLY),
        of("-p", "protection=sealed", "-ptransport=tcp").block(item, LISTING));
  }

  @Test
  void valuesOfOptionsAreNoRegularExpressions() {
    JmhArguments arguments =
        of("-jvmArgsAppend", "-ea", "-bm", "avgt", "-r", "50ms", "-prof", "gc", "-tu", "us", "a.*");
    assertEquals(
        List.of(
            "-jvmArgsAppend",
            "-ea",
            "-bm",
            "avgt",
            "-r",
            "50ms",
            "-prof",
            "gc",
            "-tu",
            "us",
            "-f",
            "1",
            "-p",
            "memorySize=1m",
            EXACTLY),
        arguments.block(LISTING.items().get(0), LISTING));
  }

  @Test
  void controlsAreListedWithTheSameOptionsWhateverWasExcluded() {
    JmhArguments arguments = of("-e", "Baseline", "-p", "memorySize=2m", "ForkResume");
    assertEquals(
        List.of("-e", "Baseline", "-p", "memorySize=2m", "ForkResume", "-lp"), arguments.listing());
    assertEquals(
        List.of("-p", "memorySize=2m", "-lp", "^\\Qorg.B.f\\E$"),
        arguments.listing(List.of("org.B.f")));
  }

  @Test
  void bothVersionsGetTheSamePlanOfCpus() {
    CpuPlan plan = CpuPlan.of("jvm=0/parent=0/daemon=1/children=1", "0-1", file -> null);
    JmhArguments arguments = of("--pin", "-i", "3", "ForkResume").pinned(plan);
    String option = "--pin=jvm=0/parent=0/daemon=1/children=1";
    assertEquals(
        List.of("-i", "3", option, "-f", "1", "-p", "memorySize=1m", EXACTLY),
        arguments.block(LISTING.items().get(0), LISTING));
    assertEquals(List.of("-i", "3", "ForkResume", "-lp"), arguments.listing());
    assertEquals(List.of("-i", "3", "-lp", "^\\Qa\\E$"), arguments.listing(List.of("a")));
    assertEquals(List.of("ForkResume"), arguments.options().getIncludes());
    // What duel.json keeps for a later session.
    assertEquals(List.of("-i", "3", "ForkResume", option), arguments.given());
  }

  @ParameterizedTest
  @CsvSource({
    "-f 3, --forks N",
    "-f3, --forks N",
    "-wf 1, leave out -wf",
    "-rf json, leave out -rf and -rff",
    "-rff a.json, leave out -rf and -rff",
    "-o log, leave out -o",
    "-l, lists nothing",
    "-lp, lists nothing",
    "-h, lists nothing",
    "-i x, JMH does not accept",
    "--what, JMH does not accept",
  })
  void whatADuelSetsItselfIsRefused(String line, String message) {
    IllegalArgumentException refused =
        assertThrows(IllegalArgumentException.class, () -> of(("ForkResume " + line).split(" ")));
    assertTrue(refused.getMessage().contains(message), refused.getMessage());
  }

  @ParameterizedTest
  @CsvSource({"(, (", "[a, [a", "a -e (, (", "a -wmb (, ("})
  void whatIsNoRegularExpressionIsNamed(String line, String regex) {
    IllegalArgumentException refused =
        assertThrows(IllegalArgumentException.class, () -> of(line.split(" ")));
    assertTrue(refused.getMessage().startsWith("'" + regex + "' is not"), refused.getMessage());
  }

  private static JmhArguments of(String... arguments) {
    return JmhArguments.of(List.of(arguments));
  }
}
