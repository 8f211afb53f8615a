// SPDX-License-Identifier: Apache-2.0
package org.mitosis.cli;

import java.io.IOException;
import java.io.PrintStream;
import java.nio.file.Path;
import java.security.SecureRandom;
import java.util.List;
import java.util.Optional;
import org.mitosis.duel.Contender;
import org.mitosis.duel.JmhArguments;
import org.mitosis.fixture.CpuPlan;
import org.mitosis.result.MachineProbe;
import org.mitosis.setting.ExitCode;
import org.mitosis.setting.MissingPrerequisite;
import org.openjdk.jmh.runner.options.CommandLineOptions;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** The command {@code duel}: two versions, whose forks take turns. */
@Command(
    name = "duel",
    header = "Two versions in turns, and the differences between them.",
    description = {
      "Measures two versions in turns and compares them: one fork of each for each benchmark and"
          + " combination of parameters, in a random order, then the next round. So a change of the"
          + " machine within minutes or hours affects both. A jar compared with itself shows the"
          + " effect of noise alone.",
      "Baseline.fork, Baseline.spawn and NilCall.c are measured as well: they do not depend on the"
          + " version, so a difference between them is a change of the machine. The output ends with"
          + " the table of 'compare'.",
      "The folder of the duel, below results/, has the results of each version in DIR/old and"
          + " DIR/new, which report, compare and pack read; DIR/duel.json, the order and the"
          + " outcome of each fork; DIR/blocks, the results and the output of each fork. Ctrl-C"
          + " keeps all finished forks."
    })
final class DuelCommand implements JmhCommand {
  static final int FORKS = 10;

  @Option(
      names = "--seed",
      paramLabel = "N",
      converter = Values.Seed.class,
      description = "The random seed of the order, an integer; by default a random one.")
  private Long seed;

  @Option(
      names = "--forks",
      paramLabel = "N",
      converter = Forks.class,
      description =
          "The forks of each benchmark and version, 2 to 1000; by default 10 (see 'compare --plan'"
              + " for the number that finds a change).")
  private int forks = FORKS;

  @Option(
      names = "--resume",
      paramLabel = "DIR",
      description = "Continues a duel that was interrupted, killed, or failed in part.")
  private Path resumed;

  @Parameters(
      paramLabel = "OLD NEW [JMH OPTIONS] [REGEXP]...",
      hideParamSyntax = true,
      arity = "0..*",
      description =
          "Two versions, each a benchmarks.jar or a checkout that holds a built one; then JMH's"
              + " options and regular expressions. A duel sets -f, -wf, -rf, -rff and -o itself."
              + " --pin gives the forks of both versions the same CPUs (see help).")
  private List<String> rest = List.of();

  @Spec private CommandSpec spec;

  private static final int FEWEST_FORKS = 2;
  private static final int MOST_FORKS = 1_000;

  private final MachineProbe probe;
  private final PrintStream out;
  private final PrintStream err;

  DuelCommand(MachineProbe probe, PrintStream out, PrintStream err) {
    this.probe = probe;
    this.out = out;
    this.err = err;
  }

  /**
   * What the user asks for.
   *
   * @param all the arguments as given
   */
  record Request(long seed, int forks, Path old, Path now, JmhArguments jmh, List<String> all) {
    /**
     * The same with the plan that {@code --pin} asks for, made once: two versions may make
     * different ones, and a later session is on the same CPUs.
     *
     * @throws MissingPrerequisite if it cannot be had on this machine
     */
    Request pinned(MachineProbe probe, PrintStream err) {
      Optional<String> asked = CpuPlan.asked(jmh.given());
      if (asked.isEmpty()) {
        return this;
      }
      CpuPlan plan = CpuPlan.of(asked.get(), probe.machine().rights().cpus(), probe::text);
      err.println("mitosis: CPU plan of both versions: " + plan);
      return new Request(seed, forks, old, now, jmh.pinned(plan), all);
    }
  }

  @Override
  public ExitCode run(List<String> given) throws IOException {
    if (resumed != null) {
      if (seed != null || forks != FORKS || !rest.isEmpty()) {
        throw refused(
            "--resume takes one folder and no options, as the options of its start are used");
      }
      return Duel.resume(resumed.toAbsolutePath().normalize(), probe, out, err).run();
    }
    Request request;
    try {
      request = request(given);
    } catch (MissingPrerequisite | IllegalArgumentException e) {
      throw refused(e.getMessage());
    }
    Duel duel;
    try {
      ProfilerCheck.requirePossible(request.jmh().options());
      duel = Duel.start(request.pinned(probe, err), probe, out, err);
    } catch (IllegalArgumentException e) {
      throw refused(e.getMessage());
    }
    return duel.run();
  }

  private Request request(List<String> given) throws IOException {
    if (!rest.isEmpty() && rest.get(0).startsWith("-")) {
      throw refused(
          "there is no option " + rest.get(0) + " before OLD and NEW; JMH's options follow them");
    }
    if (rest.size() < 2) {
      throw refused("takes two versions, OLD and NEW, got " + rest.size());
    }
    List<String> jmh = rest.subList(2, rest.size());
    List<String> ofJmh = CpuPlan.withoutOption(jmh);
    CpuPlan.asked(jmh).ifPresent(CpuPlan::requirePlan);
    CommandLineOptions options = JmhRefusal.read(ofJmh);
    JmhArguments arguments = JmhArguments.of(jmh, options);
    JmhRefusal.requireValues(ofJmh, options);
    return new Request(
        seed == null ? new SecureRandom().nextInt(Integer.MAX_VALUE) : seed,
        forks,
        Contender.find(Path.of(rest.get(0))),
        Contender.find(Path.of(rest.get(1))),
        arguments,
        given);
  }

  private ParameterException refused(String message) {
    return new ParameterException(spec.commandLine(), message);
  }

  /** How many forks a duel may have. */
  static final class Forks extends Values.Between {
    Forks() {
      super(FEWEST_FORKS, MOST_FORKS);
    }
  }
}
