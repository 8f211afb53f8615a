// SPDX-License-Identifier: Apache-2.0
package org.mitosis.cli;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Collection;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import java.util.regex.Pattern;
import java.util.regex.PatternSyntaxException;
import org.mitosis.Backend;
import org.mitosis.BackendChoice;
import org.mitosis.Mitosis;
import org.mitosis.fixture.CpuPlan;
import org.mitosis.fixture.LinkTraffic;
import org.mitosis.fixture.MachineMemory;
import org.mitosis.fixture.Preflight;
import org.mitosis.fixture.ToolProbe;
import org.mitosis.fixture.UserfaultfdRight;
import org.mitosis.result.ArtifactTable;
import org.mitosis.result.Environment;
import org.mitosis.result.Environment.Outcome;
import org.mitosis.result.HistogramLog;
import org.mitosis.result.MachineProbe;
import org.mitosis.result.PagesCame;
import org.mitosis.result.ResultFolder;
import org.mitosis.result.Run;
import org.mitosis.setting.ExitCode;
import org.mitosis.setting.FileFailure;
import org.mitosis.setting.MissingPrerequisite;
import org.openjdk.jmh.results.RunResult;
import org.openjdk.jmh.results.format.ResultFormatFactory;
import org.openjdk.jmh.results.format.ResultFormatType;
import org.openjdk.jmh.runner.Runner;
import org.openjdk.jmh.runner.RunnerException;
import org.openjdk.jmh.runner.format.OutputFormat;
import org.openjdk.jmh.runner.options.CommandLineOptions;
import org.openjdk.jmh.runner.options.Options;

/**
 * One command line of JMH: checks it and the machine before the first benchmark, lets JMH run,
 * keeps the results.
 *
 * <p>Standard output is JMH's, then the table. Messages of Mitosis go to standard error.
 */
final class BenchmarkRun {
  private final MachineProbe probe;
  private final PrintStream out;
  private final PrintStream err;
  private Optional<Sweep> sweep = Optional.empty();
  private Optional<Path> kept = Optional.empty();

  BenchmarkRun(MachineProbe probe, PrintStream out, PrintStream err) {
    this.probe = probe;
    this.out = out;
    this.err = err;
  }

  /** The result of the checks before a run. */
  private record Plan(
      Set<Selection.Item> items,
      Selection.Sizes sizes,
      Selection.Functions functions,
      BackendChoice backend) {
    Plan of(Set<Selection.Item> others) {
      return new Plan(others, sizes, functions, backend);
    }

    Options options(CommandLineOptions commandLine) {
      return JmhOptions.of(commandLine, sizes, functions, backend);
    }

    List<String> leftOut() {
      List<String> all = new ArrayList<>(sizes.leftOut());
      all.addAll(functions.leftOut());
      return all;
    }
  }

  /**
   * Carries out a command line of JMH in blocks.
   *
   * @throws Exception as {@code org.openjdk.jmh.Main} does
   */
  ExitCode run(Sweep blocks) throws Exception {
    sweep = Optional.of(blocks);
    return run(blocks.arguments().toArray(String[]::new));
  }

  /**
   * Carries out a command line of JMH.
   *
   * @throws Exception as {@code org.openjdk.jmh.Main} does
   */
  ExitCode run(String[] given) throws Exception {
    Optional<String> pin = CpuPlan.asked(List.of(given));
    List<String> args = CpuPlan.withoutOption(List.of(given));
    CommandLineOptions commandLine;
    try {
      commandLine = JmhRefusal.read(args);
    } catch (IllegalArgumentException e) {
      return refuse(ExitCode.WRONG_ARGUMENTS, e.getMessage());
    }
    if (asksForList(commandLine)) {
      return handOver(args.toArray(String[]::new));
    }
    Optional<String> usage = ProfilerCheck.help(commandLine);
    if (usage.isPresent()) {
      out.print(usage.get());
      return ExitCode.DONE;
    }
    Instant started = Instant.now();
    Selection selection;
    try {
      selection = Selection.of(commandLine);
      commandLine.getWarmupIncludes().forEach(Pattern::compile);
    } catch (PatternSyntaxException e) {
      return refuse(
          ExitCode.WRONG_ARGUMENTS,
          "'" + e.getPattern() + "' is not a regular expression: " + e.getDescription());
    }
    if (selection.isEmpty()) {
      return refuse(ExitCode.WRONG_ARGUMENTS, Selection.nothingMatches(commandLine));
    }
    if (sweep.isPresent()
        && (commandLine.getResult().hasValue() || commandLine.getResultFormat().hasValue())) {
      return refuse(
          ExitCode.WRONG_ARGUMENTS,
          "a sweep keeps JMH's results of all blocks in its folder, as jmh.json: leave out -rf and"
              + " -rff");
    }
    try {
      Preflight.deadline();
      requireBackendName();
      JmhRefusal.requireValues(args, commandLine);
      pin.ifPresent(CpuPlan::requirePlan);
      selection.requireKnownParameters(args);
      selection.requireParameters(commandLine);
    } catch (MissingPrerequisite | IllegalArgumentException e) {
      return refuse(ExitCode.WRONG_ARGUMENTS, e.getMessage());
    }
    Plan plan;
    Environment environment;
    ResultFolder folder;
    try {
      ProfilerCheck.requirePossible(commandLine);
      plan = plan(selection, commandLine);
      String cpuPlan = pin.map(this::pin).orElse(Environment.NO_CPU_PLAN);
      environment =
          Environment.started(
              started,
              List.of(given),
              plan.leftOut(),
              plan.backend(),
              probe,
              ToolProbe.read(),
              cpuPlan);
      if (sweep.filter(Sweep::isResumed).isPresent()) {
        folder = sweep.get().resumedFolder();
        environment = environment.continuing(begun(folder));
      } else {
        folder = folder(started, commandLine);
      }
    } catch (MissingPrerequisite e) {
      return refuse(ExitCode.NOT_HERE, e.getMessage());
    } catch (IOException e) {
      return refuse(ExitCode.FAILED, FileFailure.message(e));
    }
    OutputFormat output;
    try {
      JmhOutput.requireResultFile(commandLine);
      output = JmhOutput.format(commandLine, folder.log());
      write(folder, environment);
      if (sweep.isPresent()) {
        sweep.get().begin(folder, plan.items(), started);
        plan = plan.of(sweep.get().items());
      }
    } catch (MissingPrerequisite e) {
      folder.discard();
      return refuse(ExitCode.FAILED, e.getMessage());
    } catch (IOException e) {
      folder.discard();
      return refuse(ExitCode.FAILED, FileFailure.message(e));
    }
    environment.warnings().forEach(warning -> say("warning: " + warning));
    environment.leftOut().forEach(what -> say("left out: " + what));
    try {
      return run(commandLine, plan, folder, environment, output);
    } catch (IOException e) {
      return refuse(ExitCode.FAILED, FileFailure.message(e));
    }
  }

  /** The folder of the results, once some were kept. */
  Optional<Path> kept() {
    return kept;
  }

  /** Moves this JVM, and so its forks, and tells the forks where the rest runs. */
  private String pin(String asked) {
    CpuPlan plan = CpuPlan.of(asked, probe.machine().rights().cpus(), probe::text);
    plan.moveJvm(ProcessHandle.current().pid());
    System.setProperty(CpuPlan.PROPERTY, plan.toString());
    say("CPU plan: " + plan);
    return plan.toString();
  }

  /**
   * The environment at the start of a sweep.
   *
   * @throws MissingPrerequisite if it is unknown
   */
  private static Environment begun(ResultFolder folder) throws IOException {
    return Run.read(folder.path())
        .environment()
        .orElseThrow(
            () ->
                new MissingPrerequisite(
                    folder.path()
                        + " has no description of the environment of its sweep, and results of two"
                        + " environments are never mixed: start a new sweep"));
  }

  /** Runs JMH's main, so that output and exit code are those of JMH. */
  private static ExitCode handOver(String[] args) throws Exception {
    org.openjdk.jmh.Main.main(args);
    return ExitCode.DONE;
  }

  private static boolean asksForList(CommandLineOptions options) {
    return options.shouldHelp()
        || options.shouldList()
        || options.shouldListWithParams()
        || options.shouldListProfilers()
        || options.shouldListResultFormats();
  }

  private ExitCode refuse(ExitCode code, String message) {
    say(message);
    return code;
  }

  private void say(String message) {
    err.println("mitosis: " + message);
  }

  private ResultFolder folder(Instant started, Options options) throws IOException {
    String exact = System.getProperty(ResultFolder.PROPERTY, "");
    if (!exact.isEmpty()) {
      return ResultFolder.createExactly(Path.of(exact).toAbsolutePath().normalize());
    }
    return ResultFolder.create(
        Path.of("results").toAbsolutePath(),
        started,
        Objects.requireNonNullElse(probe.text("proc/sys/kernel/hostname"), ""),
        System.getProperty(ResultFolder.NAME_PROPERTY, ResultFolder.nameOf(options.getIncludes())));
  }

  private Plan plan(Selection selection, Options options) {
    BackendChoice backend = Preflight.backend();
    selection.requireTransports(options, backend);
    Selection.Functions functions =
        selection
            .functions(options)
            .and(selection.possible())
            .and(selection.userfaultfd(options, backend, UserfaultfdRight.read()));
    functions =
        functions.and(
            selection.without(functions.excluded()).linkTraffic(options, LinkTraffic.obstacle()));
    Selection left = selection.without(functions.excluded());
    if (left.isEmpty()) {
      throw new MissingPrerequisite(String.join("; ", functions.leftOut()));
    }
    Selection.Sizes sizes = left.memorySizes(options, MachineMemory.read());
    JmhLock.ofThisProcess().requireFree();
    return new Plan(
        left.items(JmhOptions.withSweeps(options, sizes, functions, backend).build()),
        sizes,
        functions,
        backend);
  }

  /** Whether there is such a backend at all; whether it can be used is of this machine. */
  private static void requireBackendName() {
    String name = System.getProperty(Mitosis.BACKEND_PROPERTY, "");
    if (!name.isEmpty()) {
      Backend.parse(name);
    }
  }

  private ExitCode run(
      CommandLineOptions commandLine,
      Plan plan,
      ResultFolder folder,
      Environment environment,
      OutputFormat output)
      throws IOException {
    // For -f 0, with which the benchmarks run in this JVM.
    System.setProperty(HistogramLog.DIRECTORY_PROPERTY, folder.histograms().toString());
    Interruption interruption = Interruption.watch(() -> keepInterrupted(folder, environment));
    Collection<RunResult> results;
    try {
      OutputFormat gated = interruption.gate(output);
      results =
          sweep.isPresent()
              ? sweep.get().run(() -> plan.options(commandLine), gated, err)
              : new Runner(plan.options(commandLine), gated).run();
    } catch (RunnerException e) {
      interruption.over();
      return failed(e, plan, folder, environment);
    } catch (IOException e) {
      interruption.over();
      throw e;
    } catch (RuntimeException e) {
      interruption.over();
      write(folder, environment.ended(Outcome.FAILED, Instant.now(), names(plan.items()), probe));
      throw e;
    }
    interruption.over();
    return keep(results, commandLine, plan, folder, environment);
  }

  /**
   * Ends a run that JMH has aborted: before the first benchmark, or at a failed one (-foe true).
   */
  private ExitCode failed(
      RunnerException failure, Plan plan, ResultFolder folder, Environment environment)
      throws IOException {
    explain(failure);
    if (sweep.isPresent()) {
      write(folder, environment.ended(Outcome.INTERRUPTED, Instant.now(), List.of(), probe));
      return refuse(
          ExitCode.FAILED,
          "the sweep has stopped; its results so far are kept; continue it with 'sweep --resume "
              + folder.path()
              + "'");
    }
    if (failure.getCause() == null) {
      folder.discard();
      return ExitCode.FAILED;
    }
    write(folder, environment.ended(Outcome.FAILED, Instant.now(), names(plan.items()), probe));
    return refuse(
        ExitCode.FAILED,
        "a benchmark failed and ended the run: see the output of JMH above, kept in "
            + folder.log()
            + "; the samples taken before are in "
            + folder.histograms());
  }

  /** Writes the results; reports a part that cannot be written, and writes the others. */
  private ExitCode keep(
      Collection<RunResult> results,
      CommandLineOptions commandLine,
      Plan plan,
      ResultFolder folder,
      Environment environment) {
    Set<Selection.Item> missing = new LinkedHashSet<>(plan.items());
    results.stream().map(Selection.Item::of).forEach(missing::remove);
    sweep.ifPresent(blocks -> missing.removeAll(blocks.done()));
    Map<Selection.Item, String> incomplete =
        sweep.map(Sweep::incomplete).orElseGet(() -> ForkCheck.incomplete(results));
    Set<Selection.Item> failed = new LinkedHashSet<>(missing);
    failed.addAll(incomplete.keySet());
    Environment ended =
        environment
            .with(PagesCame.of(results))
            .ended(
                failed.isEmpty() ? Outcome.COMPLETE : Outcome.FAILED,
                Instant.now(),
                names(failed),
                sweep.map(Sweep::repeated).orElse(List.of()),
                probe);
    ExitCode code = ExitCode.DONE;
    try {
      if (sweep.isEmpty()) {
        ForkCheck.markAborted(results, plan.items(), folder.histograms());
      }
      // A resumed sweep has results of all its sessions.
      String json = sweep.isPresent() ? sweep.get().json() : json(results);
      String table = ArtifactTable.of(folder.histograms(), json, ended);
      JmhOutput.print(table, commandLine, out);
      folder.replace(folder.jmhJson(), json);
      folder.replace(folder.table(), table);
      write(folder, ended);
      kept = Optional.of(folder.path());
      say("results: " + folder.path());
    } catch (IOException e) {
      code = refuse(ExitCode.FAILED, FileFailure.message(e));
    }
    for (Map.Entry<Selection.Item, String> one : incomplete.entrySet()) {
      code =
          refuse(
              ExitCode.FAILED,
              one.getKey()
                  + ": only "
                  + one.getValue()
                  + " gave a result: see the output of JMH above, kept in "
                  + folder.log()
                  + "; its figures are of these alone, and are marked");
    }
    if (!missing.isEmpty()) {
      code =
          refuse(
              ExitCode.FAILED,
              missing.size()
                  + " of "
                  + plan.items().size()
                  + " benchmarks failed ("
                  + String.join(", ", names(missing))
                  + "): see the output of JMH above, kept in "
                  + folder.log()
                  + (results.isEmpty()
                      ? ""
                      : "; the results of the others are in " + folder.path()));
    }
    return code;
  }

  /** Prints what JMH's Main prints, but for the lock, of which that prints a stack trace. */
  private void explain(RunnerException failure) {
    if (String.valueOf(failure.getMessage()).contains("Another JMH instance")) {
      say(JmhLock.ofThisProcess().held().getMessage());
    } else {
      err.print("ERROR: ");
      failure.printStackTrace(err);
    }
  }

  private static void write(ResultFolder folder, Environment environment) throws IOException {
    folder.replace(folder.environment(), environment.toJson());
  }

  private void keepInterrupted(ResultFolder folder, Environment environment) {
    try {
      write(folder, environment.ended(Outcome.INTERRUPTED, Instant.now(), List.of(), probe));
      say(
          sweep.isPresent()
              ? "interrupted: finished blocks are kept; continue it with 'sweep --resume "
                  + folder.path()
                  + "'"
              : "interrupted: the samples taken so far are in " + folder.histograms());
    } catch (IOException e) {
      say("interrupted: " + e.getMessage());
    }
  }

  private static List<String> names(Collection<Selection.Item> items) {
    return items.stream().map(Selection.Item::toString).distinct().toList();
  }

  private static String json(Collection<RunResult> results) {
    ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    try (PrintStream stream = new PrintStream(bytes, false, StandardCharsets.UTF_8)) {
      ResultFormatFactory.getInstance(ResultFormatType.JSON, stream).writeOut(results);
    }
    return bytes.toString(StandardCharsets.UTF_8);
  }
}
