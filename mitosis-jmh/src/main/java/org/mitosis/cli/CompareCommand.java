// SPDX-License-Identifier: Apache-2.0
package org.mitosis.cli;

import java.io.IOException;
import java.io.PrintStream;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.OptionalDouble;
import java.util.Set;
import java.util.TreeSet;
import org.mitosis.report.ComparisonData;
import org.mitosis.report.ComparisonTable;
import org.mitosis.report.PlanTable;
import org.mitosis.report.RunComparison;
import org.mitosis.result.Run;
import org.mitosis.stats.Correction;

/** The command {@code compare}: the differences between two runs. */
final class CompareCommand {
  static final String HELP =
      """
      java -jar benchmarks.jar compare [--by NAME,...] [--correction bh|holm] [--fail-above N%]
                                       [--format text|md|csv|json] [--vary NAME,...] [--force]
                                       OLD NEW
      java -jar benchmarks.jar compare --plan OLD --effect N%

      OLD and NEW are folders of runs, .zip files of these (see pack), or JSON files of JMH.
      Shows every figure that both have: medians, their ratio with its interval, p-value, effect
      size, the smallest change that could be found, and the verdict.

        --by NAME,...      one table for each combination of values of these parameters; by default
                           one for each benchmark and figure
        --correction NAME  for many comparisons at once: bh, Benjamini-Hochberg, by default: of the
                           figures called different, 5 percent are not; or holm: in 5 percent of
                           comparisons any figure is
        --format NAME      the output: text, by default; md, for a comment or an issue; csv; or json
        --plan OLD         how many forks a comparison with this run needs
        --effect N%        the change that it should find, with --plan
        --fail-above N%    end with exit code 2 if a figure is significantly worse by more than N
                           percent, or failed in NEW only
        --vary NAME,...    compare runs although their environments differ in these, by the names
                           that a refusal prints or how they begin: --vary java
        --force            compare runs whatever their environments differ in

      Exit code 0 on success, 1 on failure, 2 with --fail-above.
      """;

  private static final int WORSE = 2;

  private final PrintStream out;
  private final PrintStream err;

  CompareCommand(PrintStream out, PrintStream err) {
    this.out = out;
    this.err = err;
  }

  private record Request(
      List<Path> runs,
      List<String> by,
      OptionalDouble failAbove,
      List<String> vary,
      boolean force,
      Correction correction,
      String format,
      boolean plan,
      OptionalDouble effect) {}

  int run(String[] args) {
    if (args.length == 1 && List.of("--help", "-h").contains(args[0])) {
      out.print(HELP);
      return 0;
    }
    try {
      Request request = request(args);
      return request.plan() ? plan(request) : compare(request);
    } catch (IOException e) {
      return refuse(e.getMessage());
    }
  }

  private int plan(Request request) throws IOException {
    Run run = Run.read(request.runs().get(0));
    run.problems().forEach(this::say);
    out.print(PlanTable.of(run, request.effect().getAsDouble()));
    return 0;
  }

  private int compare(Request request) throws IOException {
    List<Run> runs = new ArrayList<>();
    IOException unreadable = null;
    for (Path path : request.runs()) {
      try {
        Run run = Run.read(path);
        run.problems().forEach(this::say);
        runs.add(run);
      } catch (IOException e) {
        unreadable = unreadable == null ? e : unreadable;
      }
    }
    if (unreadable != null) {
      runs.forEach(run -> listed(run));
      throw unreadable;
    }
    RunComparison comparison = RunComparison.of(runs.get(0), runs.get(1), request.correction());
    if (comparison.rows().isEmpty()) {
      runs.forEach(run -> listed(run));
      throw new IOException(
          "the two runs have no figure in common: compare runs of the same benchmarks with the same"
              + " parameters");
    }
    boolean known = runs.stream().allMatch(run -> run.environment().isPresent());
    if (!known) {
      say(
          "warning: the environment of one run is unknown, so differences between the environments"
              + " are not checked");
    }
    comparison.differences().forEach(difference -> say("the environments differ in " + difference));
    boolean isAllowed =
        comparison.differences().stream()
            .allMatch(one -> request.vary().stream().anyMatch(one::isCalled));
    if (!isAllowed && !request.force()) {
      throw new IOException(
          "these differences change times by themselves; measure both runs on one machine in one"
              + " state, or compare them anyway with --vary NAME,... or --force");
    }
    requireParameters(request.by(), comparison);
    tellConditions("old", runs.get(0));
    tellConditions("new", runs.get(1));
    out.print(
        switch (request.format()) {
          case "md" -> new ComparisonTable(comparison, request.by()).markdown();
          case "csv" -> ComparisonData.csv(comparison);
          case "json" -> ComparisonData.json(comparison);
          default -> new ComparisonTable(comparison, request.by()).text();
        });
    return request.failAbove().isPresent()
        ? judge(comparison, request.failAbove().getAsDouble())
        : 0;
  }

  private static void requireParameters(List<String> names, RunComparison comparison)
      throws IOException {
    Set<String> known = new TreeSet<>();
    comparison.rows().forEach(row -> known.addAll(row.figure().params().keySet()));
    for (String name : names) {
      if (!known.contains(name)) {
        throw new IOException(
            "--by: no figure of both runs has the parameter "
                + name
                + Spelling.hint(name, known)
                + "; they have "
                + String.join(", ", known));
      }
    }
  }

  /** What makes the figures of a run less reliable, and how busy its machine was. */
  private void tellConditions(String side, Run run) {
    run.environment()
        .ifPresent(
            environment -> {
              environment.warnings().forEach(warning -> say(side + ": warning: " + warning));
              if (environment.before() != null && environment.before().load() != null) {
                say(
                    side
                        + ": load "
                        + environment.before().load().get(0)
                        + " before"
                        + (environment.after() == null || environment.after().load() == null
                            ? ""
                            : ", " + environment.after().load().get(0) + " after"));
              }
            });
  }

  private int judge(RunComparison comparison, double limit) {
    List<String> reasons = new ArrayList<>();
    for (RunComparison.Row row : comparison.rows()) {
      if (row.verdict() == RunComparison.Verdict.WORSE && row.worseBy() > limit) {
        reasons.add(
            String.format(
                Locale.ROOT,
                "%s, %s is worse by %.1f %%",
                row.figure().title(),
                row.figure().metric(),
                row.worseBy() * 100));
      }
    }
    comparison.newlyFailed().forEach(name -> reasons.add(name + " fails in the new run only"));
    reasons.forEach(this::say);
    return reasons.isEmpty() ? 0 : WORSE;
  }

  /** Lists the figures of a run, even if it cannot be compared. */
  private void listed(Run run) {
    out.println(run.path() + " has:");
    run.figures().stream()
        .map(figure -> "  " + figure.shortName() + ", " + figure.metric())
        .distinct()
        .forEach(out::println);
  }

  private static Request request(String[] args) throws IOException {
    List<Path> runs = new ArrayList<>();
    List<String> by = List.of();
    OptionalDouble failAbove = OptionalDouble.empty();
    List<String> vary = List.of();
    boolean force = false;
    Correction correction = Correction.BENJAMINI_HOCHBERG;
    String format = "text";
    boolean plan = false;
    OptionalDouble effect = OptionalDouble.empty();
    for (int i = 0; i < args.length; i++) {
      Optional<String> next = i + 1 < args.length ? Optional.of(args[i + 1]) : Optional.empty();
      switch (args[i]) {
        case "--by" -> {
          by = List.of(required(args[i], next, "names of parameters").split(","));
          i++;
        }
        case "--fail-above" -> {
          failAbove = OptionalDouble.of(share(args[i], required(args[i], next, "a percentage")));
          i++;
        }
        case "--vary" -> {
          vary = List.of(required(args[i], next, "names of differences").split(","));
          i++;
        }
        case "--force" -> force = true;
        case "--format" -> {
          format = format(required(args[i], next, "text, md, csv or json"));
          i++;
        }
        case "--plan" -> plan = true;
        case "--effect" -> {
          effect = OptionalDouble.of(share(args[i], required(args[i], next, "a percentage")));
          i++;
        }
        case "--correction" -> {
          correction = correction(required(args[i], next, "bh or holm"));
          i++;
        }
        default -> {
          if (args[i].startsWith("-")) {
            throw new IOException("compare: unknown option " + args[i] + ": see compare --help");
          }
          runs.add(Path.of(args[i]));
        }
      }
    }
    if (plan != effect.isPresent() || plan && effect.getAsDouble() == 0) {
      throw new IOException(
          "compare --plan OLD needs --effect N%, a percentage above 0, and --effect needs --plan:"
              + " see compare --help");
    }
    if (plan && runs.size() != 1) {
      throw new IOException(
          "compare --plan takes one run, got " + runs.size() + ": see compare --help");
    }
    if (!plan && runs.size() != 2) {
      throw new IOException(
          "compare takes two runs, OLD and NEW, got " + runs.size() + ": see compare --help");
    }
    return new Request(runs, by, failAbove, vary, force, correction, format, plan, effect);
  }

  private static String required(String option, Optional<String> value, String what)
      throws IOException {
    return value.orElseThrow(
        () -> new IOException(option + " takes " + what + ": see compare --help"));
  }

  private static String format(String name) throws IOException {
    if (!List.of("text", "md", "csv", "json").contains(name)) {
      throw new IOException(
          "--format must be text, md, csv or json, got '" + name + "': see compare --help");
    }
    return name;
  }

  private static Correction correction(String name) throws IOException {
    for (Correction one : Correction.values()) {
      if (one.option().equals(name)) {
        return one;
      }
    }
    throw new IOException(
        "--correction must be bh or holm, got '" + name + "': see compare --help");
  }

  private static double share(String option, String percent) throws IOException {
    String number = percent.endsWith("%") ? percent.substring(0, percent.length() - 1) : percent;
    if (!number.matches("[0-9]{1,6}([.][0-9]{1,6})?")) {
      throw new IOException(
          option + " must be a percentage such as 5%, got '" + percent + "': see compare --help");
    }
    return Double.parseDouble(number) / 100;
  }

  private int refuse(String message) {
    say(message);
    return 1;
  }

  private void say(String message) {
    err.println("mitosis: " + message);
  }
}
