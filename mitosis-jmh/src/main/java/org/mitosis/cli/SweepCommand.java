// SPDX-License-Identifier: Apache-2.0
package org.mitosis.cli;

import java.io.IOException;
import java.io.PrintStream;
import java.nio.file.Path;
import java.security.SecureRandom;
import java.util.List;
import org.mitosis.result.MachineProbe;
import org.mitosis.setting.ExitCode;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** The command {@code sweep}: a run in blocks of random order that can be killed and resumed. */
@Command(
    name = "sweep",
    header = "Benchmarks in random order, which can be killed and resumed.",
    description =
        "Runs benchmarks one combination of parameters after the other, in a random order that the"
            + " seed determines and DIR/sweep.json keeps. --resume continues a sweep that was"
            + " killed: finished blocks are kept, the unfinished one and those that failed are run"
            + " again. It continues only on the same machine, in the same state, with the same"
            + " build: results of two environments are never mixed.")
final class SweepCommand implements JmhCommand {
  @Option(
      names = "--seed",
      paramLabel = "N",
      converter = Values.Seed.class,
      description = "The random seed, an integer; by default a random one.")
  private Long seed;

  @Option(
      names = "--resume",
      paramLabel = "DIR",
      description = "Continues the sweep of this folder, with the options of its start.")
  private Path resumed;

  @Parameters(
      paramLabel = "[JMH OPTIONS] [REGEXP]...",
      hideParamSyntax = true,
      arity = "0..*",
      description = "What to run, as without a command; --pin, too (see help).")
  private List<String> jmh = List.of();

  @Spec private CommandSpec spec;

  private final MachineProbe probe;
  private final PrintStream out;
  private final PrintStream err;

  SweepCommand(MachineProbe probe, PrintStream out, PrintStream err) {
    this.probe = probe;
    this.out = out;
    this.err = err;
  }

  @Override
  public ExitCode run(List<String> given) throws Exception {
    return new BenchmarkRun(probe, out, err).run(sweep());
  }

  private Sweep sweep() throws IOException {
    if (resumed == null) {
      long chosen = seed == null ? new SecureRandom().nextInt(Integer.MAX_VALUE) : seed;
      return Sweep.of(chosen, jmh);
    }
    if (seed != null || !jmh.isEmpty()) {
      throw new ParameterException(
          spec.commandLine(),
          "--resume takes one folder and no options, as the options of its start are used");
    }
    return Sweep.resume(resumed);
  }
}
