// SPDX-License-Identifier: Apache-2.0
package org.mitosis.cli;

import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import org.mitosis.cluster.ClusterCommand;
import org.mitosis.result.BuildInfo;
import org.mitosis.result.MachineProbe;
import org.mitosis.setting.MissingPrerequisite;
import org.openjdk.jmh.util.Version;

/** The main class of benchmarks.jar. */
public final class Main {
  static final String HELP =
      """
      java [-Dmitosis.*] -jar benchmarks.jar [JMH options] [regexp]...   run benchmarks
      java [-Dmitosis.*] -jar benchmarks.jar COMMAND                     one of:

        demo         a warm JVM that goes on on another machine, in ten seconds
        quick        each kind of benchmark once, in three minutes, and a report
        cluster      a benchmark on several machines; see 'cluster help'
        functions    the Python functions: what they stand for, and what each lacks on this machine
        sweep        benchmarks in random order, which can be killed and resumed
        duel         two versions in turns, and the differences between them
        compare      the differences between two runs
        report       pages, tables and plots of runs
        export       a run's figures for github-action-benchmark, Bencher and other programs
        pack         the folder of a run as one .zip file, which report and compare read
        prepare-jvm  a snapshot of a JVM that runs already
        snapshots    those of this machine, with their threads and open files
        programs     the folder of mitosis-child, mitosis-prepare and the other native programs
        doctor       what works on this machine, what does not, and what to do about it
        help [COMMAND]  this text, or that of a command
        --version    what this jar was built from

      With JMH's options, and with sweep:

        --pin            JVM, parent and daemon on a CPU each, launchers with their children on the
                         others; needs 4 CPUs
        --pin=jvm=CPUS/parent=CPUS/daemon=CPUS/children=CPUS
                         on these CPUs, such as 0-3,8, which may be shared

      JMH's options are listed by -h, the benchmarks by -l, and with their parameters by -lp.

      Settings, as Java system properties before -jar:

        -Dmitosis.backend=kernel|user    use this backend; by default kernel if its device answers,
                                         else user
        -Dmitosis.results=DIR            keep the results in DIR, which must be empty or missing; by
                                         default results/<date>-<host>-<name>
        -Dmitosis.name=NAME              the name of the run in that folder's name
        -Dmitosis.native.dir=DIR         unpack the native programs into DIR; by default
                                         $XDG_CACHE_HOME/mitosis or ~/.cache/mitosis
        -Dmitosis.deadlineMs=MS          the deadline of each step of a helper process, in ms; by
                                         default 60000
        -Dmitosis.keyFile=FILE           the key that machines share, for connections from Java; by
                                         default $MITOSIS_KEY_FILE, ~/.config/mitosis/key or
                                         /etc/mitosis/key
        -Dmitosis.criu=PATH              the CRIU of BaselineCriu; by default the first on PATH
        -Dmitosis.python=PATH            the Python that runs the functions, 3.9 or newer; by default
                                         /usr/bin/python3
        -Dmitosis.functions=all|NAMES    with ./bench: install what all functions need, or those named;
                                         by default those that are not large
        -Dmitosis.device=PATH            the device of the kernel backend; by default
                                         /dev/mitosis-syscalls

      MITOSIS_RUNTIME_DIR in the environment moves the directory of the user backend's daemon.

      Examples:

        java -jar benchmarks.jar ForkPrepare -p memorySize=1m,64m
        java -Dmitosis.backend=user -jar benchmarks.jar NilCall -rf json -rff nil.json
      """;

  /** Those with a help text of their own. */
  static final List<String> COMMANDS =
      List.of(
          DemoCommand.WORD,
          "quick",
          ClusterCommand.WORD,
          "functions",
          "sweep",
          "duel",
          "compare",
          "report",
          "export",
          "pack",
          PrepareJvmCommand.WORD,
          SnapshotList.WORD,
          ProgramFolder.WORD,
          "doctor");

  private Main() {}

  /**
   * Runs a command line; exits with 0 on success, else with the exit code of the command.
   *
   * @param args JMH's, or a command and its arguments
   * @throws Exception as {@code org.openjdk.jmh.Main} does
   */
  public static void main(String[] args) throws Exception {
    int code = run(args);
    if (code != 0) {
      System.exit(code);
    }
  }

  private static int run(String[] args) throws Exception {
    MachineProbe probe = new MachineProbe(Path.of("/"));
    String[] rest = args.length == 0 ? args : Arrays.copyOfRange(args, 1, args.length);
    if (ClusterCommand.isAgent(args)) {
      return ClusterCommand.runAgent();
    }
    try {
      Settings.requireKnown(System.getProperties().stringPropertyNames());
    } catch (MissingPrerequisite e) {
      System.err.println("mitosis: " + e.getMessage());
      return 1;
    }
    switch (args.length == 0 ? "" : args[0]) {
      case "help", "--help":
        return help(rest);
      case ClusterCommand.WORD:
        return new ClusterCommand(System.out, System.err).run(rest);
      case DemoCommand.WORD:
        return new DemoCommand(System.out, System.err).run(rest);
      case "quick":
        return new QuickCommand(probe, System.out, System.err).run(rest);
      case "functions":
        return new FunctionList(System.out).run(rest);
      case "compare":
        return new CompareCommand(System.out, System.err).run(rest);
      case "duel":
        return new DuelCommand(probe, System.out, System.err).run(rest);
      case "sweep":
        return new SweepCommand(probe, System.out, System.err).run(rest);
      case "report":
        return new ReportCommand(System.out, System.err).run(rest);
      case "export":
        return new ExportCommand(System.out, System.err).run(rest);
      case "pack":
        return new PackCommand(System.out, System.err).run(rest);
      case PrepareJvmCommand.WORD:
        return new PrepareJvmCommand(System.out, System.err).run(rest);
      case SnapshotList.WORD:
        return new SnapshotList(System.out, System.err).run(rest);
      case ProgramFolder.WORD:
        return new ProgramFolder(System.out, System.err).run(rest);
      case "doctor":
        return Doctor.ofThisMachine(probe, System.out).run(rest);
      case "--version":
        System.out.println(version(BuildInfo.current()));
        return 0;
      default:
        return new BenchmarkRun(probe, System.out, System.err).run(args);
    }
  }

  /** Of one command, or of all. */
  private static int help(String[] words) throws Exception {
    if (words.length == 0) {
      System.out.print(HELP);
      return 0;
    }
    if (words.length == 1 && COMMANDS.contains(words[0])) {
      return run(new String[] {words[0], "--help"});
    }
    System.err.println(
        "mitosis: there is no command '"
            + String.join(" ", words)
            + "'"
            + Spelling.hint(words[0], COMMANDS)
            + "; 'help' lists all");
    return 1;
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
