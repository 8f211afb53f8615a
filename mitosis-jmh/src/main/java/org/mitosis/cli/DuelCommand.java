// SPDX-License-Identifier: Apache-2.0
package org.mitosis.cli;

import java.io.IOException;
import java.io.PrintStream;
import java.nio.file.Path;
import java.security.SecureRandom;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import org.mitosis.duel.Contender;
import org.mitosis.duel.JmhArguments;
import org.mitosis.fixture.CpuPlan;
import org.mitosis.result.MachineProbe;
import org.mitosis.setting.MissingPrerequisite;

/** The command {@code duel}: two versions, whose forks take turns. */
final class DuelCommand {
  static final int FORKS = 10;

  static final String HELP =
      """
      java [-Dmitosis.*] -jar benchmarks.jar duel [--seed N] [--forks N] OLD NEW
                                                  [JMH options] [regexp]...
      java [-Dmitosis.*] -jar benchmarks.jar duel --resume DIR

      Compares two versions that are measured in turns: one fork of each for each benchmark and
      combination of parameters, in a random order, then the next round. A change of the machine
      within minutes or hours meets both. OLD and NEW are benchmarks.jar of each version, or
      checkouts that hold a built one. A jar against itself shows what noise alone does.

      Baseline.fork, Baseline.spawn and NilCall.c are measured as well: no version changes them, so
      that a difference between them is the machine's. At the end there is the table of 'compare'.

        --seed N        the random seed of the order, an integer; by default a random one
        --forks N       the forks of each benchmark and version, 2 to 1000; by default 10 (see
                        'compare --plan' for how many a change takes)
        --resume DIR    goes on with a duel that was interrupted, killed, or failed in part

      The folder of the duel, below results/, has the results of each version in DIR/old and DIR/new,
      which report, compare and pack read; DIR/duel.json, the order and the outcome of each fork;
      DIR/blocks, the results and the output of each fork. Ctrl-C keeps all finished forks.

      --pin after OLD and NEW gives the forks of both versions the same CPUs (see 'help').

      A duel sets -f, -wf, -rf, -rff and -o of JMH itself. Exit code 0 on success, else 1.
      """;

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

  int run(String[] args) {
    if (args.length == 1 && List.of("--help", "-h").contains(args[0])) {
      out.print(HELP);
      return 0;
    }
    try {
      if (args.length > 0 && args[0].equals("--resume")) {
        if (args.length != 2) {
          throw new IOException(
              "duel --resume takes one folder and no options, as the options of its start are used:"
                  + " see duel --help");
        }
        return Duel.resume(Path.of(args[1]).toAbsolutePath().normalize(), probe, out, err).run();
      }
      return Duel.start(request(args).pinned(probe, err), probe, out, err).run();
    } catch (MissingPrerequisite | IOException e) {
      err.println("mitosis: " + e.getMessage());
      return 1;
    }
  }

  /** Reads the arguments. */
  static Request request(String[] args) throws IOException {
    long seed = new SecureRandom().nextInt(Integer.MAX_VALUE);
    int forks = FORKS;
    int at = 0;
    for (; at < args.length && args[at].startsWith("-"); at += 2) {
      String value = at + 1 < args.length ? args[at + 1] : "";
      switch (args[at]) {
        case "--seed" -> {
          if (!value.matches("-?[0-9]{1,18}")) {
            throw new IOException(
                "--seed must be an integer, got '" + value + "': see duel --help");
          }
          seed = Long.parseLong(value);
        }
        case "--forks" -> {
          if (!value.matches("[0-9]{1,6}")
              || Integer.parseInt(value) < FEWEST_FORKS
              || Integer.parseInt(value) > MOST_FORKS) {
            throw new IOException(
                "--forks must be between "
                    + FEWEST_FORKS
                    + " and "
                    + MOST_FORKS
                    + ", got '"
                    + value
                    + "': see duel --help");
          }
          forks = Integer.parseInt(value);
        }
        default ->
            throw new IOException(
                "duel: unknown option "
                    + args[at]
                    + " before OLD and NEW; JMH's options follow them: see duel --help");
      }
    }
    if (args.length - at < 2) {
      throw new IOException(
          "duel takes two versions, OLD and NEW, got "
              + Math.max(0, args.length - at)
              + ": see duel --help");
    }
    return new Request(
        seed,
        forks,
        Contender.find(Path.of(args[at])),
        Contender.find(Path.of(args[at + 1])),
        JmhArguments.of(List.of(Arrays.copyOfRange(args, at + 2, args.length))),
        List.of(args));
  }
}
