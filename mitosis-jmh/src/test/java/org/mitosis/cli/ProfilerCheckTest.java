// SPDX-License-Identifier: Apache-2.0
package org.mitosis.cli;

import static org.junit.jupiter.api.Assertions.assertDoesNotThrow;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.mitosis.result.SelfTimedProfiler;
import org.mitosis.setting.MissingPrerequisite;
import org.openjdk.jmh.profile.Profiler;
import org.openjdk.jmh.profile.ProfilerException;
import org.openjdk.jmh.runner.options.CommandLineOptions;

class ProfilerCheckTest {
  @ParameterizedTest
  @ValueSource(strings = {"gc", "perfasm", "gc:churn=true", "gc:help", "xperfasm"})
  void aProfilerOfJmhIsKnownBeItPossibleOrNot(String given) {
    assertDoesNotThrow(() -> ProfilerCheck.requireKnown(options(given)));
  }

  @Test
  void aProfilerOfOursIsKnown() {
    assertDoesNotThrow(
        () -> ProfilerCheck.requireKnown(options(SelfTimedProfiler.class.getName())));
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      quoteCharacter = '"',
      value = {
        "nosuch | there is no profiler 'nosuch'; -lprof lists them",
        "gc:foo=bar | -prof gc:foo=bar: there is no option foo; -prof gc:help lists its options",
        "gc:churn=true;chrn=1 | -prof gc:churn=true;chrn=1: there is no option chrn; -prof gc:help"
            + " lists its options",
        "stack:lines=x | -prof stack:lines=x: Cannot parse argument 'x' of option lines; -prof"
            + " stack:help lists its options",
      })
  void whatDoesNotExistIsNamedInOneLine(String given, String message) {
    assertEquals(
        message,
        assertThrows(
                IllegalArgumentException.class, () -> ProfilerCheck.requireKnown(options(given)))
            .getMessage());
  }

  /** Takes no options at all, and so has no usage. */
  public static final class Strict implements Profiler {
    /** As JMH makes it. */
    public Strict(String options) throws ProfilerException {
      if (!options.isEmpty()) {
        throw new ProfilerException("takes no options:\n  got " + options + "\n");
      }
    }

    @Override
    public String getDescription() {
      return "of a test";
    }
  }

  @Test
  void anOptionThatAProfilerRefusesInItsOwnWordsIsNamed() {
    String name = Strict.class.getName();
    assertDoesNotThrow(() -> ProfilerCheck.requireKnown(options(name)));
    assertEquals(
        "-prof " + name + ":a=1: takes no options:; got a=1",
        assertThrows(
                IllegalArgumentException.class,
                () -> ProfilerCheck.requireKnown(options(name + ":a=1")))
            .getMessage());
  }

  /** A profiler of Windows. */
  @Test
  void aProfilerThatThisMachineCannotRunIsOneLine() {
    assertDoesNotThrow(() -> ProfilerCheck.requirePossible(options("gc")));
    String message =
        assertThrows(
                MissingPrerequisite.class, () -> ProfilerCheck.requirePossible(options("xperfasm")))
            .getMessage();
    assertTrue(message.startsWith("the profiler 'xperfasm' cannot run here: "), message);
    assertEquals(1, message.lines().count(), message);
  }

  @Test
  void theUsageOfAProfilerCanBeAskedFor() {
    assertTrue(ProfilerCheck.help(options("gc:help")).orElseThrow().contains("churn"));
    for (String other : List.of("gc", "gc:foo=help", "nosuch:help")) {
      assertEquals(Optional.empty(), ProfilerCheck.help(options(other)));
    }
  }

  private static CommandLineOptions options(String profiler) {
    return JmhRefusal.read(List.of("-prof", profiler));
  }
}
