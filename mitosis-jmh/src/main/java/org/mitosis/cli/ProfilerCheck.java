// SPDX-License-Identifier: Apache-2.0
package org.mitosis.cli;

import java.util.Arrays;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.stream.Collectors;
import org.mitosis.setting.MissingPrerequisite;
import org.openjdk.jmh.profile.ProfilerException;
import org.openjdk.jmh.profile.ProfilerFactory;
import org.openjdk.jmh.runner.options.Options;
import org.openjdk.jmh.runner.options.ProfilerConfig;

/**
 * The profilers of a command line, before a run. JMH has one message for a name that does not
 * exist, an option that a profiler lacks, and a program that it needs: the last lines of it are the
 * usage of the profiler.
 */
final class ProfilerCheck {
  private static final String HELP = "help";

  private ProfilerCheck() {}

  /** The usage of a profiler that was given with the option {@code help}. */
  static Optional<String> help(Options options) {
    return options.getProfilers().stream()
        .filter(one -> one.getOpts().equals(HELP))
        .map(ProfilerCheck::usage)
        .filter(usage -> !usage.isEmpty())
        .findFirst();
  }

  /**
   * Requires profilers and options of these that exist, be they possible on this machine or not.
   *
   * @throws IllegalArgumentException with a message for the user
   */
  static void requireKnown(Options options) {
    for (ProfilerConfig one : options.getProfilers()) {
      Optional<ProfilerException> failure = failure(one);
      if (failure.isEmpty()) {
        continue;
      }
      if (failure.get().getCause() instanceof ClassNotFoundException) {
        throw new IllegalArgumentException(
            "there is no profiler '" + one.getKlass() + "'; -lprof lists them", failure.get());
      }
      String message = message(failure.get());
      String usage = usage(one);
      boolean withoutOptions =
          failure(new ProfilerConfig(one.getKlass(), ""))
              .map(ProfilerCheck::message)
              .filter(message::equals)
              .isPresent();
      if (!withoutOptions && !message.equals(usage)) {
        throw new IllegalArgumentException(wrongOption(one, message, usage), failure.get());
      }
    }
  }

  private static String wrongOption(ProfilerConfig one, String message, String usage) {
    String own =
        oneLine(
            message.endsWith(usage)
                ? message.substring(0, message.length() - usage.length())
                : message);
    Matcher unknown = JmhRefusal.UNKNOWN.matcher(own);
    if (unknown.matches()) {
      // JMH reads foo=1 as the options f, o and o, and names the first.
      own =
          Arrays.stream(one.getOpts().split(";"))
              .map(option -> option.replaceFirst("=.*", ""))
              .filter(option -> option.startsWith(unknown.group(1)))
              .filter(option -> !usage.contains("  " + option + "="))
              .findFirst()
              .map(option -> "there is no option " + option)
              .orElse(own);
    }
    return "-prof "
        + one.getKlass()
        + ":"
        + one.getOpts()
        + ": "
        + own
        + (usage.isEmpty() ? "" : "; -prof " + one.getKlass() + ":help lists its options");
  }

  /**
   * Requires profilers that can run here.
   *
   * @throws MissingPrerequisite if this machine lacks something
   */
  static void requirePossible(Options options) {
    for (ProfilerConfig one : options.getProfilers()) {
      failure(one)
          .ifPresent(
              failure -> {
                throw new MissingPrerequisite(
                    "the profiler '"
                        + one.getKlass()
                        + "' cannot run here: "
                        + oneLine(message(failure)));
              });
    }
  }

  private static Optional<ProfilerException> failure(ProfilerConfig one) {
    try {
      ProfilerFactory.getProfilerOrException(one);
      return Optional.empty();
    } catch (ProfilerException e) {
      return Optional.of(e);
    }
  }

  /** The text that explains the options of a profiler; empty if it has none. */
  private static String usage(ProfilerConfig one) {
    return failure(new ProfilerConfig(one.getKlass(), HELP))
        .map(ProfilerCheck::message)
        .filter(text -> text.contains("Display help."))
        .orElse("");
  }

  private static String message(ProfilerException failure) {
    return String.valueOf(failure.getMessage());
  }

  private static String oneLine(String text) {
    return text.lines()
        .map(String::strip)
        .filter(line -> !line.isEmpty())
        .collect(Collectors.joining("; "));
  }
}
