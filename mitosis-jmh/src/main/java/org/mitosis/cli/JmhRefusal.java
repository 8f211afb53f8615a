// SPDX-License-Identifier: Apache-2.0
package org.mitosis.cli;

import java.util.Arrays;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.openjdk.jmh.profile.ProfilerException;
import org.openjdk.jmh.profile.ProfilerFactory;
import org.openjdk.jmh.runner.options.Options;
import org.openjdk.jmh.runner.options.ProfilerConfig;

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

  private static final Pattern UNKNOWN = Pattern.compile("(\\S+) is not a recognized option");
  private static final Pattern CONSTANT = Pattern.compile("No enum constant ([\\w.$]+)\\.(.*)");
  private static final List<String> SWITCHES = List.of("-foe", "-gc", "-si");

  private JmhRefusal() {}

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
      String option = asGiven(given, unknown.group(1));
      return "there is no option "
          + option
          + Spelling.hint(option, OPTIONS)
          + "; -h lists JMH's options, 'help' the others";
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
      String[] parts = given.get(i).split("=", 2);
      if (SWITCHES.contains(parts[0])) {
        String value = parts.length > 1 ? parts[1] : i + 1 < given.size() ? given.get(i + 1) : "";
        if (!value.equalsIgnoreCase("true") && !value.equalsIgnoreCase("false")) {
          throw new IllegalArgumentException(
              parts[0] + " must be true or false, got '" + value + "'");
        }
      }
    }
  }

  /**
   * Requires profilers that exist, be they possible on this machine or not.
   *
   * @throws IllegalArgumentException with a message for the user
   */
  static void requireProfilers(Options options) {
    for (ProfilerConfig one : options.getProfilers()) {
      try {
        ProfilerFactory.getProfilerOrException(one);
      } catch (ProfilerException e) {
        if (e.getCause() instanceof ClassNotFoundException) {
          throw new IllegalArgumentException(
              "there is no profiler '" + one.getKlass() + "'; -lprof lists them", e);
        }
        // JMH says what is missing, and how its options are written.
      }
    }
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
