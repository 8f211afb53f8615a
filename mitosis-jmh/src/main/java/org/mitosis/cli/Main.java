// SPDX-License-Identifier: Apache-2.0
package org.mitosis.cli;

import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import org.mitosis.cluster.ClusterCommand;
import org.mitosis.result.BuildInfo;
import org.mitosis.result.MachineProbe;
import org.mitosis.setting.ExitCode;
import org.mitosis.setting.MissingPrerequisite;
import org.openjdk.jmh.util.Version;

/** The main class of benchmarks.jar. */
public final class Main {
  /** What a command line of ours may begin with; all else is JMH's. */
  static final List<String> COMMANDS =
      List.of(
          "demo",
          "quick",
          "list",
          "cluster",
          "rdma-selftest",
          "functions",
          "sweep",
          "duel",
          "compare",
          "report",
          "export",
          "pack",
          "prepare-jvm",
          "snapshots",
          "programs",
          "doctor",
          "completion",
          "man-page",
          "help");

  private Main() {}

  /**
   * Runs a command line; exits with the number of an {@link ExitCode} unless all was done.
   *
   * @param args JMH's, or a command and its arguments
   * @throws Exception as {@code org.openjdk.jmh.Main} does
   */
  public static void main(String[] args) throws Exception {
    if (ClusterCommand.isAgent(args)) {
      exit(ClusterCommand.runAgent());
      return;
    }
    System.setOut(PlainLetters.on(System.out, PlainLetters.of("stdout")));
    System.setErr(PlainLetters.on(System.err, PlainLetters.of("stderr")));
    exit(run(args).number());
  }

  private static void exit(int code) {
    if (code != 0) {
      System.exit(code);
    }
  }

  private static ExitCode run(String[] args) throws Exception {
    try {
      Settings.requireKnown(System.getProperties().stringPropertyNames());
    } catch (MissingPrerequisite e) {
      return refuse(e.getMessage());
    }
    MachineProbe probe = new MachineProbe(Path.of("/"));
    String first = args.length == 0 ? "" : args[0];
    if (first.equals("--version")) {
      System.out.println(version(BuildInfo.current()));
      return ExitCode.DONE;
    }
    if (first.equals("help") && args.length > 1) {
      return args.length == 2 && COMMANDS.contains(args[1]) && !args[1].equals(first)
          ? new BenchCommands(probe, System.out, System.err).run(args[1], "--help")
          : refuse(
              "there is no command '"
                  + String.join(" ", Arrays.asList(args).subList(1, args.length))
                  + "'"
                  + Spelling.hint(args[1], COMMANDS)
                  + "; 'help' lists all");
    }
    if (first.equals("help") || first.equals("--help")) {
      return new BenchCommands(probe, System.out, System.err).run("--help");
    }
    return COMMANDS.contains(first)
        ? new BenchCommands(probe, System.out, System.err).run(args)
        : new BenchmarkRun(probe, System.out, System.err).run(args);
  }

  private static ExitCode refuse(String message) {
    System.err.println("mitosis: " + message);
    return ExitCode.WRONG_ARGUMENTS;
  }

  static String version(BuildInfo build) {
    return "mitosis "
        + build.version()
        + " (commit "
        + build.commit()
        + (build.dirty().equals("true") ? ", dirty" : "")
        + ", JMH "
        + Version.getPlainVersion()
        + ")";
  }
}
