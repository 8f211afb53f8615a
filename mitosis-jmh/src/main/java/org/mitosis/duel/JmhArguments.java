// SPDX-License-Identifier: Apache-2.0
package org.mitosis.duel;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.regex.Pattern;
import java.util.regex.PatternSyntaxException;
import java.util.stream.Stream;
import org.mitosis.fixture.CpuPlan;
import org.openjdk.jmh.runner.options.CommandLineOptionException;
import org.openjdk.jmh.runner.options.CommandLineOptions;
import org.openjdk.jmh.runner.options.Options;

/** The part of a command line that JMH reads, and what each block gets of it. */
public final class JmhArguments {
  private static final String MARK = "mitosis.duel.mark";

  /** An option and its value in one argument; {@code -prof} is another option. */
  private static final Pattern PARAMETER = Pattern.compile("-p=?(?!rof\\b)\\w+=.*");

  /** Options whose value may look like another option. */
  private static final Set<String> OF_JVM = Set.of("-jvmArgs", "-jvmArgsAppend", "-jvmArgsPrepend");

  private final List<String> given;
  private final CommandLineOptions options;
  private final List<String> parameters = new ArrayList<>();
  private final List<String> common = new ArrayList<>();

  private JmhArguments(List<String> given, CommandLineOptions options) {
    this.given = List.copyOf(given);
    this.options = options;
    for (int i = 0; i < given.size(); i++) {
      String one = given.get(i);
      if (CpuPlan.isOption(one)) {
        continue;
      }
      boolean hasValue = i + 1 < given.size();
      if (OF_JVM.contains(one) && hasValue) {
        common.addAll(List.of(one, given.get(++i)));
      } else if (one.equals("-p") && hasValue) {
        parameters.addAll(List.of(one, given.get(++i)));
      } else if (PARAMETER.matcher(one).matches()) {
        parameters.add(one);
      } else if (one.equals("-e") && hasValue) {
        i++;
      } else if (!one.startsWith("-e") && !isRegex(i)) {
        common.add(one);
      }
    }
  }

  /**
   * Reads and checks the arguments.
   *
   * @throws IllegalArgumentException with a message for the user if JMH does not know one, or a
   *     duel sets it
   */
  public static JmhArguments of(List<String> arguments) {
    CommandLineOptions options;
    try {
      options = parse(arguments);
    } catch (CommandLineOptionException | RuntimeException e) {
      throw new IllegalArgumentException("JMH does not accept these options: " + e.getMessage(), e);
    }
    return of(arguments, options);
  }

  /**
   * Checks the arguments.
   *
   * @param options as JMH has read them, without {@code --pin}
   * @throws IllegalArgumentException with a message for the user if a duel sets one
   */
  public static JmhArguments of(List<String> arguments, CommandLineOptions options) {
    if (options.shouldHelp()
        || options.shouldList()
        || options.shouldListWithParams()
        || options.shouldListProfilers()
        || options.shouldListResultFormats()) {
      throw new IllegalArgumentException(
          "a duel lists nothing: leave out -h, -l, -lp, -lprof and -lrf");
    }
    if (options.getForkCount().hasValue()) {
      throw new IllegalArgumentException(
          "a duel runs one fork after the other: leave out -f, and give their number with --forks N");
    }
    if (options.getWarmupForkCount().hasValue()) {
      throw new IllegalArgumentException("a duel has no warm-up forks: leave out -wf");
    }
    if (options.getResult().hasValue() || options.getResultFormat().hasValue()) {
      throw new IllegalArgumentException(
          "a duel keeps JMH's results of each version in its folder, as jmh.json: leave out -rf and"
              + " -rff");
    }
    if (options.getOutput().hasValue()) {
      throw new IllegalArgumentException(
          "a duel keeps JMH's output of each fork in its folder: leave out -o");
    }
    Stream.of(options.getIncludes(), options.getExcludes(), options.getWarmupIncludes())
        .flatMap(List::stream)
        .forEach(JmhArguments::requireRegex);
    return new JmhArguments(arguments, options);
  }

  private static void requireRegex(String text) {
    try {
      Pattern.compile(text);
    } catch (PatternSyntaxException e) {
      throw new IllegalArgumentException(
          "'" + text + "' is not a regular expression: " + e.getDescription(), e);
    }
  }

  private static CommandLineOptions parse(List<String> arguments)
      throws CommandLineOptionException {
    return new CommandLineOptions(CpuPlan.withoutOption(arguments).toArray(String[]::new));
  }

  /** Whether an argument selects benchmarks: neither an option nor the value of one. */
  private boolean isRegex(int index) {
    if (given.get(index).startsWith("-")) {
      return false;
    }
    List<String> marked = new ArrayList<>(given);
    marked.set(index, MARK);
    try {
      return parse(marked).getIncludes().contains(MARK);
    } catch (CommandLineOptionException | RuntimeException e) {
      return false; // the value of an option that takes no such value
    }
  }

  /** As given. */
  public List<String> given() {
    return given;
  }

  /** As JMH reads them. */
  public Options options() {
    return options;
  }

  /** The same with this plan in place of what {@code --pin} asks for. */
  public JmhArguments pinned(CpuPlan plan) {
    List<String> arguments = new ArrayList<>(CpuPlan.withoutOption(given));
    arguments.add(plan.option());
    return new JmhArguments(arguments, options);
  }

  /** The arguments that list what was selected. */
  public List<String> listing() {
    List<String> arguments = new ArrayList<>(CpuPlan.withoutOption(given));
    arguments.add("-lp");
    return arguments;
  }

  /** The arguments that list these benchmarks instead, with the same options. */
  public List<String> listing(List<String> benchmarks) {
    List<String> arguments = new ArrayList<>(common);
    arguments.addAll(parameters);
    arguments.add("-lp");
    benchmarks.forEach(name -> arguments.add(exactly(name)));
    return arguments;
  }

  /**
   * The arguments of one fork.
   *
   * @param item as the version names it
   * @param listing of that version
   */
  public List<String> block(Item item, Listing listing) {
    List<String> arguments = new ArrayList<>(common);
    given.stream().filter(CpuPlan::isOption).forEach(arguments::add);
    arguments.addAll(List.of("-f", "1"));
    for (Map.Entry<String, String> parameter : item.parameters().entrySet()) {
      // The harness may replace a default by what fits the backend: leave that to it.
      if (options.getParameter(parameter.getKey()).hasValue()
          || listing.isChoice(item, parameter.getKey())) {
        arguments.addAll(List.of("-p", parameter.getKey() + "=" + parameter.getValue()));
      }
    }
    arguments.add(exactly(item.benchmark()));
    return arguments;
  }

  private static String exactly(String benchmark) {
    return "^" + Pattern.quote(benchmark) + "$";
  }
}
