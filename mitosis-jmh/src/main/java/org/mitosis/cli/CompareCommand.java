// SPDX-License-Identifier: Apache-2.0
package org.mitosis.cli;

import java.io.IOException;
import java.io.PrintStream;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Iterator;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import java.util.TreeSet;
import org.mitosis.report.ComparisonData;
import org.mitosis.report.ComparisonTable;
import org.mitosis.report.PlanTable;
import org.mitosis.report.RunComparison;
import org.mitosis.result.Run;
import org.mitosis.setting.ExitCode;
import org.mitosis.stats.Correction;
import picocli.CommandLine.Command;
import picocli.CommandLine.ITypeConverter;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;
import picocli.CommandLine.TypeConversionException;

/** The command {@code compare}: the differences between two runs. */
@Command(
    name = "compare",
    header = "The differences between two runs.",
    description =
        "Shows every figure that both runs have: medians, their ratio with its interval, p-value,"
            + " effect size, the smallest change that could be found, and the verdict.")
final class CompareCommand implements BenchCommand {
  private static final List<String> FORMATS = List.of("text", "md", "csv", "json");

  @Option(
      names = "--by",
      paramLabel = "NAME,...",
      description =
          "One table for each combination of values of these parameters; by default one for each"
              + " benchmark and figure.")
  private String by = "";

  @Option(
      names = "--correction",
      paramLabel = "NAME",
      converter = Named.class,
      completionCandidates = Corrections.class,
      description =
          "For many comparisons at once: bh, Benjamini-Hochberg, by default: of the figures called"
              + " different, 5 percent are not; or holm: in 5 percent of comparisons any figure is.")
  private Correction correction = Correction.BENJAMINI_HOCHBERG;

  @Option(
      names = "--format",
      paramLabel = "NAME",
      converter = Format.class,
      completionCandidates = Formats.class,
      description = "The output: text, by default; md, for a comment or an issue; csv; or json.")
  private String format = "text";

  @Option(
      names = "--plan",
      description = "How many forks a comparison with this one run, OLD, needs.")
  private boolean plan;

  @Option(
      names = "--effect",
      paramLabel = "N%",
      converter = Values.Percentage.class,
      description = "The change that it should find, with --plan.")
  private Double effect;

  @Option(
      names = "--fail-above",
      paramLabel = "N%",
      converter = Values.Percentage.class,
      description =
          "End with exit code 4 if a figure is significantly worse by more than N percent, or failed"
              + " in NEW only.")
  private Double failAbove;

  @Option(
      names = "--vary",
      paramLabel = "NAME,...",
      description =
          "Compare runs although their environments differ in these, by the names that a refusal"
              + " prints or how they begin: --vary java.")
  private String vary;

  @Option(names = "--force", description = "Compare runs whatever their environments differ in.")
  private boolean force;

  @Parameters(
      paramLabel = "OLD NEW",
      hideParamSyntax = true,
      arity = "0..*",
      description = "Folders of runs, .zip files of these (see pack), or JSON files of JMH.")
  private List<Path> paths = List.of();

  @Spec private CommandSpec spec;

  private final PrintStream out;
  private final PrintStream err;

  CompareCommand(PrintStream out, PrintStream err) {
    this.out = out;
    this.err = err;
  }

  @Override
  public ExitCode run(List<String> given) throws IOException {
    if (plan != (effect != null) || plan && effect == 0) {
      throw refused("--plan needs --effect N%, a percentage above 0, and --effect needs --plan");
    }
    if (plan && paths.size() != 1) {
      throw refused("--plan takes one run, got " + paths.size());
    }
    if (!plan && paths.size() != 2) {
      throw refused("takes two runs, OLD and NEW, got " + paths.size());
    }
    return plan ? plan(paths.get(0)) : compare(paths);
  }

  private ParameterException refused(String message) {
    return new ParameterException(spec.commandLine(), message);
  }

  private ExitCode plan(Path path) throws IOException {
    Run run = Run.read(path);
    run.problems().forEach(this::say);
    out.print(PlanTable.of(run, effect));
    return ExitCode.DONE;
  }

  /** Compares two runs with the options as they are. */
  ExitCode compare(List<Path> paths) throws IOException {
    List<Run> runs = new ArrayList<>();
    IOException unreadable = null;
    for (Path path : paths) {
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
    RunComparison comparison = RunComparison.of(runs.get(0), runs.get(1), correction);
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
    List<String> varied = vary == null ? List.of() : List.of(vary.split(","));
    boolean isAllowed =
        comparison.differences().stream().allMatch(one -> varied.stream().anyMatch(one::isCalled));
    if (!isAllowed && !force) {
      throw new IOException(
          "these differences change times by themselves; measure both runs on one machine in one"
              + " state, or compare them anyway with --vary NAME,... or --force");
    }
    List<String> parameters = by.isEmpty() ? List.of() : List.of(by.split(","));
    requireParameters(parameters, comparison);
    tellConditions("old", runs.get(0));
    tellConditions("new", runs.get(1));
    out.print(
        switch (format) {
          case "md" -> new ComparisonTable(comparison, parameters).markdown();
          case "csv" -> ComparisonData.csv(comparison);
          case "json" -> ComparisonData.json(comparison);
          default -> new ComparisonTable(comparison, parameters).text();
        });
    return failAbove == null ? ExitCode.DONE : judge(comparison, failAbove);
  }

  private void requireParameters(List<String> names, RunComparison comparison) {
    Set<String> known = new TreeSet<>();
    comparison.rows().forEach(row -> known.addAll(row.figure().params().keySet()));
    for (String name : names) {
      if (!known.contains(name)) {
        throw refused(
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

  private ExitCode judge(RunComparison comparison, double limit) {
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
    return reasons.isEmpty() ? ExitCode.DONE : ExitCode.WORSE;
  }

  /** Lists the figures of a run, even if it cannot be compared. */
  private void listed(Run run) {
    out.println(run.path() + " has:");
    run.figures().stream()
        .map(figure -> "  " + figure.shortName() + ", " + figure.metric())
        .distinct()
        .forEach(out::println);
  }

  private void say(String message) {
    err.println("mitosis: " + message);
  }

  /** The names of the formats. */
  static final class Formats implements Iterable<String> {
    @Override
    public Iterator<String> iterator() {
      return FORMATS.iterator();
    }
  }

  /** The name of a format. */
  static final class Format implements ITypeConverter<String> {
    @Override
    public String convert(String name) {
      if (!FORMATS.contains(name)) {
        throw new TypeConversionException("must be text, md, csv or json, got '" + name + "'");
      }
      return name;
    }
  }

  /** The names of the corrections. */
  static final class Corrections implements Iterable<String> {
    @Override
    public Iterator<String> iterator() {
      return Arrays.stream(Correction.values()).map(Correction::option).iterator();
    }
  }

  /** A correction by its name. */
  static final class Named implements ITypeConverter<Correction> {
    @Override
    public Correction convert(String name) {
      return Arrays.stream(Correction.values())
          .filter(one -> one.option().equals(name))
          .findFirst()
          .orElseThrow(() -> new TypeConversionException("must be bh or holm, got '" + name + "'"));
    }
  }
}
