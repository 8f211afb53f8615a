// SPDX-License-Identifier: Apache-2.0
package org.mitosis.cli;

import java.io.IOException;
import java.io.PrintStream;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.mitosis.Errno;
import org.mitosis.MitosisException;
import org.mitosis.result.MachineProbe;
import org.mitosis.setting.ExitCode;
import org.mitosis.setting.FileFailure;
import org.mitosis.setting.MissingPrerequisite;
import picocli.CommandLine;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Model.OptionSpec;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.ParseResult;

/**
 * The commands of benchmarks.jar, read by picocli. A command line of JMH never gets here, so that
 * nothing is loaded for it.
 */
final class BenchCommands {
  private static final int WIDTH = 100;
  private static final Set<Integer> RIGHTS = Set.of(Errno.EPERM, Errno.EACCES);

  private final CommandLine line;
  private final PrintStream out;
  private final PrintStream err;

  /** All of them. */
  BenchCommands(MachineProbe probe, PrintStream out, PrintStream err) {
    this(all(probe, out, err), out, err);
  }

  private BenchCommands(CommandLine line, PrintStream out, PrintStream err) {
    this.line = line;
    this.out = out;
    this.err = err;
    prepare(line);
  }

  private static CommandLine all(MachineProbe probe, PrintStream out, PrintStream err) {
    CommandLine all = new CommandLine(new Overview());
    List.of(
            new DemoCommand(out),
            new QuickCommand(probe, out, err),
            new ListCommand(out, err),
            new ClusterCommandLine(out, err),
            new RdmaSelftestCommand(out, err),
            new FunctionList(out),
            new SweepCommand(probe, out, err),
            new DuelCommand(probe, out, err),
            new CompareCommand(out, err),
            new ReportCommand(out, err),
            new ExportCommand(out, err),
            new PackCommand(out, err),
            new PrepareJvmCommand(out),
            new SnapshotList(out),
            new ProgramFolder(out),
            Doctor.ofThisMachine(probe, out),
            new CompletionScript(out),
            new ManPage(out))
        .forEach(all::addSubcommand);
    return all;
  }

  private static void prepare(CommandLine line) {
    line.setUsageHelpWidth(WIDTH);
    // A regular expression or a path may begin with any letter, and JMH's options are words.
    line.setExpandAtFiles(false);
    line.setPosixClusteredShortOptionsAllowed(false);
    Map<String, String> codes = new LinkedHashMap<>();
    for (ExitCode code : ExitCode.values()) {
      codes.put(Integer.toString(code.number()), code.meaning());
    }
    line.getCommandSpec().usageMessage().exitCodeList(codes);
    withHelp(line);
  }

  /** One style. Of all commands together there is no {@code -h}, which is JMH's. */
  private static void withHelp(CommandLine line) {
    CommandSpec spec = line.getCommandSpec();
    if (!(spec.userObject() instanceof Overview)) {
      spec.usageMessage()
          .sortOptions(false)
          .description(String.join("%n%n", spec.usageMessage().description()))
          .synopsisHeading("%nUsage: ")
          .descriptionHeading("%n")
          .parameterListHeading("%n")
          .optionListHeading(spec.positionalParameters().isEmpty() ? "%n" : "");
    }
    OptionSpec.Builder help =
        spec.userObject() instanceof Overview
            ? OptionSpec.builder("--help").description("This text; of one command: help COMMAND.")
            : OptionSpec.builder("-h", "--help").description("This text.");
    spec.addOption(help.usageHelp(true).build());
    if (spec.userObject() instanceof JmhCommand) {
      // From JMH's first argument on, nothing is ours.
      line.setUnmatchedOptionsArePositionalParams(true).setStopAtPositional(true);
    }
    line.getSubcommands().values().forEach(BenchCommands::withHelp);
  }

  /** Runs one command with the arguments after it. */
  static ExitCode run(BenchCommand command, PrintStream out, PrintStream err, String... given) {
    return new BenchCommands(new CommandLine(command), out, err).run(given);
  }

  /** The commands, as picocli sees them. */
  CommandSpec spec() {
    return line.getCommandSpec();
  }

  /** Runs a command with its arguments. */
  ExitCode run(String... args) {
    try {
      ParseResult parsed = line.parseArgs(args);
      while (parsed.hasSubcommand()) {
        parsed = parsed.subcommand();
      }
      CommandLine asked = parsed.commandSpec().commandLine();
      if (parsed.isUsageHelpRequested() || !(asked.getCommand() instanceof BenchCommand)) {
        asked.usage(out);
        return ExitCode.DONE;
      }
      boolean isSubcommand = asked != line;
      return ((BenchCommand) asked.getCommand())
          .run(List.of(isSubcommand ? Arrays.copyOfRange(args, 1, args.length) : args));
    } catch (ParameterException e) {
      CommandSpec spec = e.getCommandLine().getCommandSpec();
      String name =
          spec.parent() == null && spec.userObject() instanceof Overview ? "" : spec.name();
      say((name + " --help").strip(), name, problem(e, spec));
      return ExitCode.WRONG_ARGUMENTS;
    } catch (MissingPrerequisite e) {
      return refuse(ExitCode.NOT_HERE, e.getMessage());
    } catch (MitosisException e) {
      return refuse(
          RIGHTS.contains(e.errno()) ? ExitCode.NOT_HERE : ExitCode.FAILED, e.getMessage());
    } catch (IOException e) {
      return refuse(ExitCode.FAILED, FileFailure.message(e));
    } catch (RuntimeException e) {
      throw e;
    } catch (Exception e) {
      throw new IllegalStateException("a command throws what none should", e);
    }
  }

  private void say(String help, String name, String problem) {
    err.println("mitosis: " + (name.isEmpty() ? "" : name + ": ") + problem + ": see " + help);
  }

  private ExitCode refuse(ExitCode code, String message) {
    err.println("mitosis: " + message);
    return code;
  }

  private static String problem(ParameterException e, CommandSpec spec) {
    // A wrong name comes before what is missing, for which it may have been meant.
    List<String> unmatched = e.getCommandLine().getUnmatchedArguments();
    if (!unmatched.isEmpty()) {
      String first = unmatched.get(0);
      return first.startsWith("-")
          ? "there is no option " + first + Spelling.hint(first, spec.optionsMap().keySet())
          : "unexpected argument '" + first + "'";
    }
    String message = e.getMessage();
    return Character.toLowerCase(message.charAt(0)) + message.substring(1);
  }
}
