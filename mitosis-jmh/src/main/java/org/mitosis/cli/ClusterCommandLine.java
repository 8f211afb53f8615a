// SPDX-License-Identifier: Apache-2.0
package org.mitosis.cli;

import java.io.IOException;
import java.io.PrintStream;
import java.nio.file.Path;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.mitosis.cluster.ClusterCommand;
import org.mitosis.setting.ExitCode;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** The command line of {@link ClusterCommand}. */
@Command(
    name = "cluster",
    header = "A benchmark on several machines.",
    description = {
      "Runs a benchmark on several machines, from this one: copies benchmarks.jar to them (over the"
          + " system's ssh, or Slurm's srun), starts a parent and children there, prints the table"
          + " of the MITOSIS artifact and statistics, keeps everything in"
          + " results/<date>-<host>-cluster-TARGET.",
      "'cluster list' lists the targets. 'cluster template' writes a config file to fill in, with"
          + " all keys and what they mean. 'cluster check' checks every machine, and names what"
          + " prevents a run."
    })
final class ClusterCommandLine implements BenchCommand {
  private static final String KEY_VALUE = "[A-Z][A-Z_]*=(?s:.*)";

  @Option(
      names = "--config",
      paramLabel = "FILE",
      description =
          "The machines and what to run; by default cluster.conf. A makefile of the artifact is"
              + " accepted.")
  private Path config;

  @Option(
      names = "--launcher",
      paramLabel = "HOW",
      completionCandidates = Launchers.class,
      description = "ssh, by default; or slurm: inside an allocation, whose machines are taken.")
  private String launcher = "ssh";

  @Option(names = "--force", description = "With clean: also ends a run of another user.")
  private boolean force;

  @Parameters(
      paramLabel = "TARGET [KEY=VALUE]...",
      hideParamSyntax = true,
      arity = "1..*",
      completionCandidates = Names.class,
      description = "What to run, and values that replace those of the file, as with make.")
  private List<String> arguments;

  @Spec private CommandSpec spec;

  private final PrintStream out;
  private final PrintStream err;

  ClusterCommandLine(PrintStream out, PrintStream err) {
    this.out = out;
    this.err = err;
  }

  @Override
  public ExitCode run(List<String> given) throws IOException {
    String target = "";
    Map<String, String> values = new LinkedHashMap<>();
    for (String argument : arguments) {
      if (argument.matches(KEY_VALUE)) {
        int equals = argument.indexOf('=');
        values.put(argument.substring(0, equals), argument.substring(equals + 1));
      } else if (target.isEmpty()) {
        target = argument;
      } else {
        throw refused("unexpected argument '" + argument + "'");
      }
    }
    List<String> names = ClusterCommand.targets();
    if (!names.contains(target)) {
      throw refused(
          "there is no target '"
              + target
              + "'"
              + Spelling.hint(target, names)
              + "; there are "
              + String.join(", ", names));
    }
    if (force && !target.equals("clean")) {
      throw refused("--force is an option of clean only");
    }
    if (!Launchers.ALL.contains(launcher)) {
      throw refused("--launcher must be ssh or slurm, got '" + launcher + "'");
    }
    return new ClusterCommand(out, err)
        .run(
            new ClusterCommand.Request(
                target,
                config == null ? Path.of("cluster.conf") : config,
                config != null,
                launcher.equals("slurm"),
                force,
                values,
                given));
  }

  private ParameterException refused(String message) {
    return new ParameterException(spec.commandLine(), message);
  }

  /** How machines are reached. */
  static final class Launchers implements Iterable<String> {
    private static final List<String> ALL = List.of("ssh", "slurm");

    @Override
    public Iterator<String> iterator() {
      return ALL.iterator();
    }
  }

  /** The targets, and what there is instead. */
  static final class Names implements Iterable<String> {
    @Override
    public Iterator<String> iterator() {
      return ClusterCommand.targets().iterator();
    }
  }
}
