// SPDX-License-Identifier: Apache-2.0
package org.mitosis.cli;

import java.util.Arrays;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.openjdk.jmh.runner.options.CommandLineOptionException;
import org.openjdk.jmh.runner.options.CommandLineOptions;

/**
 * Why JMH does not accept a command line, in one line. JMH's own main takes some more lines for it,
 * of which the last are a stack trace if the name of a mode is wrong.
 */
final class JmhRefusal {
  /** All options of a run's command line, JMH's and ours. */
  static final List<String> OPTIONS =
      List.of(
          "-bm",
          "-bs",
          "-e",
          "-f",
          "-foe",
          "-gc",
          "-h",
          "-i",
          "-jvm",
          "-jvmArgs",
          "-jvmArgsAppend",
          "-jvmArgsPrepend",
          "-l",
          "-lp",
          "-lprof",
          "-lrf",
          "-o",
          "-opi",
          "-p",
          "-prof",
          "-r",
          "-rf",
          "-rff",
          "-si",
          "-t",
          "-tg",
          "-to",
          "-tu",
          "-v",
          "-w",
          "-wbs",
          "-wf",
          "-wi",
          "-wm",
          "-wmb",
          "--help",
          "--no-install",
          "--pin",
          "--version");

  /** What the parser of JMH, and of its profilers, says of an option; group 1 is its name. */
  static final Pattern UNKNOWN = Pattern.compile("(\\S+) is not a recognized option");

  private static final Pattern CONSTANT = Pattern.compile("No enum constant ([\\w.$]+)\\.(.*)");

  /** As JMH reads them: with one hyphen or two, abbreviated, and of one letter with the value. */
  private static final Pattern SWITCH =
      Pattern.compile("(?<name>--?(foe?|gc?|si?))(=(?<value>.*))?|-[gs](?<joined>[^=]+)");

  private JmhRefusal() {}

  /**
   * Reads a command line as JMH does.
   *
   * @throws IllegalArgumentException with a message for the user if JMH does not accept it
   */
  static CommandLineOptions read(List<String> given) {
    try {
      return new CommandLineOptions(given.toArray(String[]::new));
    } catch (CommandLineOptionException | RuntimeException e) {
      throw new IllegalArgumentException(message(given, e), e);
    }
  }

  /**
   * Requires what JMH would find in the middle of a run, or not at all.
   *
   * @param options as {@link #read} has read what was given
   * @throws IllegalArgumentException with a message for the user
   */
  static void requireValues(List<String> given, CommandLineOptions options) {
    requireTruthValues(given);
    ProfilerCheck.requireKnown(options);
    JmhOptions.requireJvm(options);
  }

  /**
   * The message for a user.
   *
   * @param given the command line
   * @param refusal what JMH threw
   */
  static String message(List<String> given, Exception refusal) {
    String text = String.valueOf(refusal.getMessage());
    Matcher unknown = UNKNOWN.matcher(text);
    if (unknown.matches()) {
      return noSuchOption(asGiven(given, unknown.group(1)));
    }
    Matcher constant = CONSTANT.matcher(text);
    if (constant.matches()) {
      return "'" + constant.group(2) + "' is none of " + constants(constant.group(1));
    }
    return text.lines().map(String::strip).collect(Collectors.joining("; "))
        + "; -h explains JMH's options";
  }

  /**
   * Requires a truth value where JMH takes any other word for false.
   *
   * @throws IllegalArgumentException with a message for the user
   */
  static void requireTruthValues(List<String> given) {
    for (int i = 0; i < given.size(); i++) {
      Matcher found = SWITCH.matcher(given.get(i));
      if (found.matches()) {
        String joined = found.group("joined");
        String value = joined == null ? found.group("value") : joined;
        if (value == null) {
          value = i + 1 < given.size() ? given.get(i + 1) : "";
        }
        if (!value.equalsIgnoreCase("true") && !value.equalsIgnoreCase("false")) {
          throw new IllegalArgumentException(
              joined == null
                  ? found.group("name") + " must be true or false, got '" + value + "'"
                  : noSuchOption(given.get(i)));
        }
      }
    }
  }

  private static String noSuchOption(String option) {
    return "there is no option "
        + option
        + Spelling.hint(option, OPTIONS)
        + "; -h lists JMH's options, 'help' the others";
  }

  /** JMH reads -nosuch as the options n, o, s and so on, and names the first. */
  private static String asGiven(List<String> given, String name) {
    return Stream.of("-+" + Pattern.quote(name) + "(=.*)?", "-+" + Pattern.quote(name) + ".*")
        .flatMap(form -> given.stream().filter(one -> one.matches(form)))
        .map(one -> one.replaceFirst("=.*", ""))
        .findFirst()
        .orElse("-" + name);
  }

  private static String constants(String name) {
    try {
      return Arrays.stream(Class.forName(name).getEnumConstants())
          .map(String::valueOf)
          .collect(Collectors.joining(", "));
    } catch (ClassNotFoundException e) {
      return "the values that there are";
    }
  }
}
