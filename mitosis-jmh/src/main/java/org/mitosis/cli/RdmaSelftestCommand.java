// SPDX-License-Identifier: Apache-2.0
package org.mitosis.cli;

import java.io.IOException;
import java.io.PrintStream;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.mitosis.cluster.RdmaSelftest;
import org.mitosis.setting.ExitCode;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** The command line of {@link RdmaSelftest}. */
@Command(
    name = "rdma-selftest",
    header = "Whether pages come by RDMA between two machines, are right, and how fast.",
    description = {
      "Starts a parent on one machine and children of it on another, over RDMA: every byte is"
          + " checked, in each mode; what serves their pages is killed and stopped; the times of the"
          + " device and of a child's pages are taken. Packs the result as a .zip file to send in.",
      "Without machines, this one is both, through the loop of its device. With PARENT and CHILD,"
          + " which the system's ssh reaches, benchmarks.jar is copied there as 'cluster' does it,"
          + " and KEY=VALUE is one of cluster.conf: PARENT_GID (the port; by default the first that"
          + " can), BACKEND (kernel: mitosis and mitosis_rdma are loaded), USER, JAVA, SSH_CONFIG,"
          + " PROJECT_PATH.",
      "Nothing runs on after it, or after Ctrl-C; what was copied stays, until 'cluster clean'. Takes"
          + " half a minute. See docs/rdma.md."
    })
final class RdmaSelftestCommand implements BenchCommand {
  private static final String KEY_VALUE = "[A-Z][A-Z_]*=(?s:.*)";

  @Parameters(
      paramLabel = "[PARENT CHILD] [KEY=VALUE]...",
      hideParamSyntax = true,
      arity = "0..*",
      description = "The machines, and how to reach them.")
  private List<String> arguments = List.of();

  @Spec private CommandSpec spec;

  private final PrintStream out;
  private final PrintStream err;

  RdmaSelftestCommand(PrintStream out, PrintStream err) {
    this.out = out;
    this.err = err;
  }

  @Override
  public ExitCode run(List<String> given) throws IOException {
    List<String> hosts = new ArrayList<>();
    Map<String, String> values = new LinkedHashMap<>();
    for (String argument : arguments) {
      if (argument.matches(KEY_VALUE)) {
        int equals = argument.indexOf('=');
        values.put(argument.substring(0, equals), argument.substring(equals + 1));
      } else {
        hosts.add(argument);
      }
    }
    if (hosts.size() != 0 && hosts.size() != 2) {
      throw new ParameterException(
          spec.commandLine(), "takes no machine, or PARENT and CHILD, got " + hosts);
    }
    return new RdmaSelftest(out, err).run(new RdmaSelftest.Request(hosts, values, given));
  }
}
