// SPDX-License-Identifier: Apache-2.0
package org.mitosis.cli;

import java.io.PrintStream;
import java.util.List;
import java.util.Locale;
import org.mitosis.fixture.ChildLauncher;
import org.mitosis.fixture.JvmFunction;
import org.mitosis.fixture.MemorySize;
import org.mitosis.fixture.ParentProcess;
import org.mitosis.fixture.RemoteFork;
import org.mitosis.fixture.RemoteJvm;
import org.mitosis.fixture.ResumeMode;
import org.mitosis.fixture.Transport;
import org.mitosis.fixture.UserfaultfdRight;
import org.mitosis.setting.ExitCode;
import org.mitosis.setting.MissingPrerequisite;
import picocli.CommandLine.Command;

/**
 * The command {@code demo}: a warm JVM continues on another machine, beside fresh starts; a small
 * process on this one, where the user has the rights for no more.
 */
@Command(
    name = "demo",
    header = "A warm JVM continues on another machine: a demonstration of ten seconds.",
    description = {
      "Starts a JVM with a function (JSON), warms it up, prepares it, and starts children of it on"
          + " another machine: a second daemon, which is reached over TCP. Prints the times until"
          + " the first instruction and the first result of each, beside those of fresh starts of"
          + " the same function.",
      "That needs root. Another user sees a process of 64 MiB continue on this machine, by"
          + " userfaultfd or, if he may not use that, forked by its snapshot.",
      "The times are of single starts; FirstResult.jvm is the benchmark."
    })
final class DemoCommand implements BenchCommand {

  private static final int STARTS = 3;
  private static final int WIDTH = 50;
  private static final int MEBIBYTES = 64;

  private final PrintStream out;

  DemoCommand(PrintStream out) {
    this.out = out;
  }

  @Override
  public ExitCode run(List<String> given) {
    UserfaultfdRight right = UserfaultfdRight.read();
    String lacking = right.allowed() ? lackingForJvm() : "userfaultfd is " + right.state();
    if (lacking.isEmpty()) {
      show(JvmFunction.of("json", "G1", "128m", 1, 1));
    } else {
      showHere(right.allowed() ? ResumeMode.LAZY : ResumeMode.CLONE);
      out.printf(
          "%nWith root's rights a warm JVM continues on another machine. Here %s.%n", lacking);
    }
    return ExitCode.DONE;
  }

  /** Why children of a JVM cannot be had; empty if they can. */
  private static String lackingForJvm() {
    try {
      RemoteJvm.requirePossible();
      return "";
    } catch (MissingPrerequisite e) {
      return e.getMessage();
    }
  }

  /** What any user may: a process with one thread, and its children on the same machine. */
  private void showHere(ResumeMode mode) {
    ChildLauncher.Times[] children = new ChildLauncher.Times[STARTS];
    long filledNs;
    try (RemoteFork fork =
        RemoteFork.of(MemorySize.ofMebibytes(MEBIBYTES))
            .transport(Transport.LOCAL)
            .resumeMode(mode)
            .childWork(ParentProcess.ChildWork.READ)
            .start()) {
      ParentProcess parent = fork.parent();
      filledNs = parent.coldTouchNs();
      parent.unprepareNs();
      out.printf(
          "A process has filled %d MiB in %s. It is prepared in %s.%n",
          MEBIBYTES, ms(filledNs), ms(parent.preparePinnedNs()));
      out.printf(
          "Children of it start on this machine (resume mode %s), and read all of that:%n%n", mode);
      for (int i = 0; i < STARTS; i++) {
        ChildLauncher.Times times = fork.launcher().launch();
        children[i] =
            new ChildLauncher.Times(
                times.startupNs(),
                times.resumeNs(),
                times.executionNs(),
                times.resumeNs() + times.executionNs());
      }
    }
    out.print(timeline(List.of(children), new long[0]));
  }

  private void show(JvmFunction function) {
    ChildLauncher.Times[] children = new ChildLauncher.Times[STARTS];
    try (RemoteFork fork =
        RemoteFork.of(function)
            .transport(Transport.TCP)
            .childWork(ParentProcess.ChildWork.WORK)
            .start()) {
      ParentProcess parent = fork.parent();
      out.printf(
          Locale.ROOT,
          "A JVM with the function %s: its first call took %s, a warm one takes %s.%n",
          function.name(),
          ms(parent.coldTouchNs()),
          ms(parent.touchNs()));
      parent.unprepareNs();
      out.printf(
          "It is prepared in %s, with its heap and its threads.%n", ms(parent.preparePinnedNs()));
      out.printf("Another machine starts children of it, over TCP:%n%n");
      for (int i = 0; i < STARTS; i++) {
        children[i] = fork.launcher().launch();
      }
    }
    long[] fresh = new long[STARTS];
    try (ParentProcess starter = ParentProcess.of(MemorySize.ofMebibytes(1)).start()) {
      for (int i = 0; i < STARTS; i++) {
        fresh[i] = starter.spawn(function.freshStart()).firstResultNs();
      }
    }
    out.print(timeline(List.of(children), fresh));
  }

  /**
   * A line for each start: {@code -} to the first instruction after prepare, {@code =} to the first
   * result. All have the scale of the longest.
   */
  static String timeline(List<ChildLauncher.Times> children, long[] freshNs) {
    long longest = 1;
    for (ChildLauncher.Times times : children) {
      longest = Math.max(longest, times.firstResultNs());
    }
    for (long ns : freshNs) {
      longest = Math.max(longest, ns);
    }
    StringBuilder text = new StringBuilder();
    for (int i = 0; i < children.size(); i++) {
      ChildLauncher.Times times = children.get(i);
      text.append(
          line("child " + (i + 1), times.resumeNs(), times.firstResultNs(), longest)
              + ", first instruction at "
              + ms(times.resumeNs())
              + "\n");
    }
    for (int i = 0; i < freshNs.length; i++) {
      text.append(line("fresh JVM " + (i + 1), 0, freshNs[i], longest)).append("\n");
    }
    return text.toString();
  }

  private static String line(String name, long firstNs, long resultNs, long longestNs) {
    int end = (int) Math.round((double) WIDTH * resultNs / longestNs);
    int first = Math.min(end, (int) Math.round((double) WIDTH * firstNs / longestNs));
    return String.format(
        "%-11s  %-" + WIDTH + "s  result at %s",
        name,
        "-".repeat(first) + "=".repeat(end - first),
        ms(resultNs));
  }

  private static String ms(long ns) {
    return String.format(Locale.ROOT, "%.1f ms", ns / 1e6);
  }
}
