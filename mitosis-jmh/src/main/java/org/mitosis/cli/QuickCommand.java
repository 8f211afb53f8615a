// SPDX-License-Identifier: Apache-2.0
package org.mitosis.cli;

import java.io.PrintStream;
import java.util.ArrayList;
import java.util.List;
import org.mitosis.fixture.Preflight;
import org.mitosis.fixture.PythonFunction;
import org.mitosis.fixture.ResumeMode;
import org.mitosis.fixture.Transport;
import org.mitosis.fixture.UserfaultfdRight;
import org.mitosis.result.MachineProbe;
import org.mitosis.result.ResultFolder;
import org.mitosis.setting.ExitCode;
import org.mitosis.setting.MissingPrerequisite;
import picocli.CommandLine.Command;

/** The command {@code quick}: each kind of benchmark once, and a report. */
@Command(
    name = "quick",
    header = "Each kind of benchmark once, in three minutes, and a report.",
    description = {
      "Runs each kind of benchmark once with small sizes, one fork and short iterations, and writes"
          + " the report. The figures show that everything works here, and rough costs; one fork is"
          + " too few for more. It takes none of JMH's options: to choose sizes, run the benchmark,"
          + " such as ForkPrepare -p memorySize=1m.",
      "Benchmarks for which this user lacks a right are left out, and the output names them. Without"
          + " the right to use userfaultfd, children are resumed in mode clone, on this machine"
          + " only."
    })
final class QuickCommand implements BenchCommand {
  private static final String ITERATIONS = "-f 1 -wi 1 -w 200ms -i 3 -r 250ms";

  private static final String FUNCTIONS = "FirstResult.function";

  private static final List<String> BENCHMARKS =
      List.of(
          "NilCall",
          "NilRpc.c",
          "Baseline.(spawn|fork|jvmStart)",
          "BaselineCriu.(restore|lazy)",
          "BaselineRdma.rdmaSend",
          "Burst.workingSet",
          "EmptyContainer.(none|lean)",
          "ForkPrepare.(workingSet|threads)",
          "PrepareOverFork.turnByTurn",
          "ForkResume.(workingSet|threads)",
          "FirstResult.(workingSet|jvm|jvmColdStart)",
          "Execution.workingSet",
          "StartupExecution",
          "TouchRatio",
          "LoadSpike.workingSet",
          "Memory.jvm",
          "HarnessOverhead.turnByTurn",
          "PeakThroughput.(workingSet|emptyContainer)");

  private static final String PARAMETERS =
      "-p memorySize=16m -p touchRatio=100 -p threads=8 -p javaFunction=helloworld -p children=4"
          + " -p seconds=2 -p count=1";

  private final MachineProbe probe;
  private final PrintStream out;
  private final PrintStream err;

  QuickCommand(MachineProbe probe, PrintStream out, PrintStream err) {
    this.probe = probe;
    this.out = out;
    this.err = err;
  }

  @Override
  public ExitCode run(List<String> given) throws Exception {
    if (System.getProperty(ResultFolder.NAME_PROPERTY, "").isEmpty()) {
      System.setProperty(ResultFolder.NAME_PROPERTY, "quick");
    }
    UserfaultfdRight right = UserfaultfdRight.read();
    if (!right.allowed()) {
      err.println("mitosis: children are resumed in mode clone: userfaultfd is " + right.state());
    }
    BenchmarkRun run = new BenchmarkRun(probe, out, err);
    ExitCode code = run.run(arguments(right.allowed(), hasPython()).toArray(String[]::new));
    if (run.kept().isEmpty()) {
      return code;
    }
    out.println();
    return code.or(new ReportCommand(out, err).report(List.of(run.kept().get()), null));
  }

  /** The command line of JMH. */
  static List<String> arguments(boolean userfaultfd, boolean python) {
    List<String> arguments = new ArrayList<>();
    BENCHMARKS.forEach(name -> arguments.add(pattern(name)));
    arguments.addAll(List.of(ITERATIONS.split(" ")));
    arguments.addAll(List.of(PARAMETERS.split(" ")));
    if (python) {
      arguments.addAll(List.of(pattern(FUNCTIONS), "-p", PythonFunction.PROPERTY + "=helloworld"));
    }
    if (!userfaultfd) {
      arguments.addAll(List.of("-p", ResumeMode.PROPERTY + "=clone"));
      arguments.addAll(List.of("-p", Transport.PROPERTY + "=local"));
    }
    return arguments;
  }

  /** Of a class, or of methods in one. */
  private static String pattern(String name) {
    return "[.]" + name.replace(".", "[.]") + (name.contains(".") ? "$" : "[.]");
  }

  private static boolean hasPython() {
    try {
      Preflight.function("helloworld");
      return true;
    } catch (MissingPrerequisite e) {
      return false;
    }
  }
}
