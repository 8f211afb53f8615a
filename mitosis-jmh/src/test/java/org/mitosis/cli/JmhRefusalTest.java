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
  void truthIsTrueOrFalse() {
    assertDoesNotThrow(
        () ->
            JmhRefusal.requireTruthValues(
                List.of("-gc", "TRUE", "-foe=false", "-si", "false", "--foe", "true", "-gtrue")));
    for (List<String> wrong :
        List.of(
            List.of("-gc", "yes"),
            List.of("-foe=1"),
            List.of("-si"),
            List.of("-si", "NilCall"),
            List.of("--foe", "maybe"),
            List.of("--fo=no"),
            List.of("-gyes"),
            List.of("-s", "1"))) {
      assertThrows(IllegalArgumentException.class, () -> JmhRefusal.requireTruthValues(wrong));
    }
  }

  private static String message(String... given) {
    return assertThrows(IllegalArgumentException.class, () -> JmhRefusal.read(List.of(given)))
        .getMessage();
  }
}
