// SPDX-License-Identifier: Apache-2.0
package org.mitosis.cli;

import java.io.IOException;
import java.io.PrintStream;
import java.nio.file.Path;
import java.security.SecureRandom;
import java.util.Arrays;
import java.util.List;
import org.mitosis.result.MachineProbe;

/** The command {@code sweep}: a run in blocks of random order that can be killed and resumed. */
final class SweepCommand {
  static final String HELP =
      """
      java [-Dmitosis.*] -jar benchmarks.jar sweep [--seed N] [JMH options] [regexp]...
      java [-Dmitosis.*] -jar benchmarks.jar sweep --resume DIR

      Runs benchmarks one combination of parameters after the other, in a random order that the seed
      determines and DIR/sweep.json keeps. --resume continues a sweep that was killed: finished
      blocks are kept, the unfinished one and those that failed are run again. It continues only on
      the same machine, in the same state, with the same build: results of two environments are
      never mixed.

        --seed N        the random seed, an integer; by default a random one
        --resume DIR    the folder of the sweep, below results/
      """;

  private final MachineProbe probe;
  private final PrintStream out;
  private final PrintStream err;

  SweepCommand(MachineProbe probe, PrintStream out, PrintStream err) {
    this.probe = probe;
    this.out = out;
    this.err = err;
  }

  int run(String[] args) throws Exception {
    if (args.length == 1 && List.of("--help", "-h").contains(args[0])) {
      out.print(HELP);
      return 0;
    }
    try {
      return new BenchmarkRun(probe, out, err).run(sweep(args));
    } catch (IOException e) {
      err.println("mitosis: " + e.getMessage());
      return 1;
    }
  }

  private static Sweep sweep(String[] args) throws IOException {
    if (args.length > 0 && args[0].equals("--resume")) {
      if (args.length != 2) {
        throw new IOException(
            "sweep --resume takes one folder and no options, as the options of its start are"
                + " used: see sweep --help");
      }
      return Sweep.resume(Path.of(args[1]));
    }
    if (args.length > 0 && args[0].equals("--seed")) {
      if (args.length < 2 || !args[1].matches("-?[0-9]{1,18}")) {
        throw new IOException("sweep --seed takes an integer: see sweep --help");
      }
      return Sweep.of(Long.parseLong(args[1]), List.of(Arrays.copyOfRange(args, 2, args.length)));
    }
    return Sweep.of(new SecureRandom().nextInt(Integer.MAX_VALUE), List.of(args));
  }
}
