// SPDX-License-Identifier: Apache-2.0
package org.mitosis.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.TimeUnit;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;
import org.mitosis.fixture.ArrivalTrace;
import org.openjdk.jmh.runner.BenchmarkList;
import org.openjdk.jmh.runner.BenchmarkListEntry;
import org.openjdk.jmh.runner.format.OutputFormatFactory;
import org.openjdk.jmh.runner.options.CommandLineOptions;
import org.openjdk.jmh.runner.options.VerboseMode;

/** What quick runs exists, and is of every kind. */
class QuickCommandTest {
  private static final String PACKAGE = "org.mitosis.benchmark.";

  @Test
  void everyPatternSelectsABenchmark() throws Exception {
    for (String pattern : new CommandLineOptions(arguments(true, true)).getIncludes()) {
      assertFalse(selected(List.of(pattern)).isEmpty(), pattern);
    }
  }

  @Test
  void everyClassOfBenchmarksIsThere() throws Exception {
    Set<String> all = classes(selected(List.of(".*")));
    assertEquals(
        all, classes(selected(new CommandLineOptions(arguments(true, true)).getIncludes())));
  }

  @Test
  void everyParameterIsOneOfTheBenchmarks() throws Exception {
    String[] arguments = arguments(false, true);
    CommandLineOptions options = new CommandLineOptions(arguments);
    Selection selection = Selection.of(options);
    selection.requireKnownParameters(List.of(arguments));
    selection.requireParameters(options);
  }

  /** An iteration of these lasts as long as its parameters say, whatever JMH's options are. */
  @Test
  void noIterationIsLongerThanTwoSeconds() throws Exception {
    CommandLineOptions options = new CommandLineOptions(arguments(true, true));
    assertEquals(List.of("2"), List.copyOf(options.getParameter("seconds").get()));
    int count = Integer.parseInt(options.getParameter("count").get().iterator().next());
    ArrivalTrace trace = ArrivalTrace.read("spike").part(0, count);
    // What is late may begin as long after the trace's end as it is long.
    assertTrue(2 * trace.lengthNs(trace.defaultSpeed()) <= TimeUnit.SECONDS.toNanos(2));
  }

  @Test
  void withoutUserfaultfdChildrenAreClonesOnThisMachine() throws Exception {
    CommandLineOptions options = new CommandLineOptions(arguments(false, false));
    assertEquals(List.of("clone"), List.copyOf(options.getParameter("resumeMode").get()));
    assertEquals(List.of("local"), List.copyOf(options.getParameter("transport").get()));
    assertFalse(options.getParameter("functionName").hasValue());
    assertFalse(
        new CommandLineOptions(arguments(true, true)).getParameter("resumeMode").hasValue());
  }

  private static String[] arguments(boolean userfaultfd, boolean python) {
    return QuickCommand.arguments(userfaultfd, python).toArray(String[]::new);
  }

  private static Set<BenchmarkListEntry> selected(List<String> includes) {
    return BenchmarkList.defaultList()
        .find(
            OutputFormatFactory.createFormatInstance(System.out, VerboseMode.SILENT),
            includes,
            List.of())
        .stream()
        .filter(entry -> entry.getUsername().startsWith(PACKAGE))
        .collect(Collectors.toSet());
  }

  private static Set<String> classes(Set<BenchmarkListEntry> entries) {
    return entries.stream()
        .map(BenchmarkListEntry::getUserClassQName)
        .collect(Collectors.toCollection(TreeSet::new));
  }
}
