// SPDX-License-Identifier: Apache-2.0
package org.mitosis.cli;

import static org.junit.jupiter.api.Assertions.assertDoesNotThrow;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;
import org.mitosis.result.SelfTimedProfiler;
import org.openjdk.jmh.runner.options.CommandLineOptionException;
import org.openjdk.jmh.runner.options.CommandLineOptions;

class JmhRefusalTest {
  private static final Set<String> OURS = Set.of("--help", "--no-install", "--pin", "--version");

  @Test
  void theOptionsAreThoseOfJmhsHelp() throws IOException, CommandLineOptionException {
    PrintStream out = System.out;
    ByteArrayOutputStream help = new ByteArrayOutputStream();
    System.setOut(new PrintStream(help, true, StandardCharsets.UTF_8));
    try {
      new CommandLineOptions("-h").showHelp();
    } finally {
      System.setOut(out);
    }
    Set<String> expected =
        Pattern.compile("(?m)^ +(-\\w+) ")
            .matcher(help.toString(StandardCharsets.UTF_8))
            .results()
            .map(found -> found.group(1))
            .collect(Collectors.toCollection(TreeSet::new));
    expected.addAll(OURS);
    assertEquals(expected, new TreeSet<>(JmhRefusal.OPTIONS));
  }

  @Test
  void whatWasGivenIsNamed() {
    assertEquals(
        "there is no option -jvmArg (did you mean '-jvmArgs'?); -h lists JMH's options, 'help' the"
            + " others",
        message("NilCall", "-jvmArg", "-Xint"));
    assertEquals(
        "there is no option --aa; -h lists JMH's options, 'help' the others",
        message("NilCall", "-p", "a=1", "--aa=3"));
  }

  @Test
  void aProfilerOfJmhOursOrAClassIsOne() throws CommandLineOptionException {
    for (String there : List.of("gc", "perfasm", SelfTimedProfiler.class.getName(), "gc:churn=1")) {
      CommandLineOptions options = new CommandLineOptions("-prof", there);
      assertDoesNotThrow(() -> JmhRefusal.requireProfilers(options), there);
    }
    CommandLineOptions missing = new CommandLineOptions("-prof", "nosuch");
    assertThrows(IllegalArgumentException.class, () -> JmhRefusal.requireProfilers(missing));
  }

  @Test
  void truthIsTrueOrFalse() {
    assertDoesNotThrow(
        () -> JmhRefusal.requireTruthValues(List.of("-gc", "TRUE", "-foe=false", "-si", "false")));
    for (List<String> wrong :
        List.of(
            List.of("-gc", "yes"), List.of("-foe=1"), List.of("-si"), List.of("-si", "NilCall"))) {
      assertThrows(IllegalArgumentException.class, () -> JmhRefusal.requireTruthValues(wrong));
    }
  }

  private static String message(String... given) {
    Exception refusal =
        assertThrows(CommandLineOptionException.class, () -> new CommandLineOptions(given));
    return JmhRefusal.message(List.of(given), refusal);
  }
}
