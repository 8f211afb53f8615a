// SPDX-License-Identifier: Apache-2.0
package org.mitosis.function;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.util.HashMap;
import java.util.Map;
import org.mitosis.Backend;
import org.mitosis.Device;
import org.mitosis.Errno;
import org.mitosis.ForkRole;
import org.mitosis.Mitosis;
import org.mitosis.MitosisException;
import org.mitosis.ResumeTimes;
import org.mitosis.Snapshot;
import org.mitosis.posix.LibC;

/**
 * A JVM that is a function, warm: it prepares itself on command and times itself, and its children
 * go on in {@link #prepare}. It speaks as {@code mitosis-parent} does.
 */
public final class FunctionParent {
  private final CompiledFunction function;
  private final ChildReport report;
  private final Device device;
  private final int handlerId;
  private final boolean childrenWork;

  /** In a child that works: what it was told. */
  private volatile ResumeTimes times = ResumeTimes.UNKNOWN;

  private final PrintStream out = System.out;

  private FunctionParent(Map<String, String> options) throws ReflectiveOperationException {
    device = Mitosis.open(Backend.parse(options.get("--backend")));
    handlerId = Integer.parseInt(options.get("--handler-id"));
    childrenWork = options.get("--child").equals("work");
    report = ChildReport.later();
    if (childrenWork) {
      Mitosis.onChild(child -> times = child.times());
    }
    function = warm(options);
  }

  /** The function, and beside it the threads that wait. */
  private static CompiledFunction warm(Map<String, String> options) {
    WaitingThreads.start(Integer.parseInt(options.get("--threads")) - 1);
    return new CompiledFunction(
        options.get("--function"), Integer.parseInt(options.get("--calls")));
  }

  /**
   * Runs it until its input ends.
   *
   * @param arguments {@code --function NAME --calls N --threads N}, then {@code --criu-target
   *     FOLDER}, or what every parent is given
   * @throws Exception if it cannot start; the message says why
   */
  public static void main(String[] arguments) throws Exception {
    Map<String, String> options = new HashMap<>();
    for (int i = 0; i + 1 < arguments.length; i += 2) {
      options.put(arguments[i], arguments[i + 1]);
    }
    if (options.containsKey("--criu-target")) {
      System.exit(new CriuCopy(warm(options), options.get("--criu-target")).run());
    }
    try {
      new FunctionParent(options).drive();
    } catch (MitosisException e) {
      System.err.println("FunctionParent: " + e.getMessage());
      System.exit(1);
    }
    System.exit(0);
  }

  private void drive() throws IOException {
    BufferedReader in =
        new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
    answer(
        "ok ready=1 pid="
            + ProcessHandle.current().pid()
            + " backend="
            + device.backend()
            + " cold_ns="
            + function.coldNs()
            + " warm_ns="
            + function.timeNs());
    for (String line = in.readLine(); line != null; line = in.readLine()) {
      if (line.equals("quit")) {
        answer("ok");
        break;
      }
      answer(command(line));
    }
    device.close();
  }

  private void answer(String line) {
    out.println(line);
    out.flush();
  }

  private String command(String line) {
    try {
      return switch (line) {
        case "touch", "cow" -> "ok ns=" + function.timeNs() + " at_ns=" + System.nanoTime();
        case "snapshot" -> "ok pid=" + shadowPid();
        case "prepare" -> "ok ns=" + prepare(false);
        case "prepare-pinned" -> "ok ns=" + prepare(true);
        case "fork" -> "ok ns=" + forkNs();
        case "unprepare" -> "ok ns=" + unprepareNs();
        default -> error(Errno.EINVAL, "unknown command '" + line + "'");
      };
    } catch (MitosisException e) {
      return error(e.errno(), e.getMessage());
    } catch (IllegalStateException e) {
      return error(Errno.EIO, String.valueOf(e.getMessage()));
    }
  }

  private static String error(int errno, String message) {
    return "error errno=" + errno + " message=" + message.replace('\n', ' ');
  }

  /** What holds the memory of its snapshot; 0 if there is none, or no process holds it. */
  private int shadowPid() {
    return device.list().stream()
        .filter(one -> one.handlerId() == handlerId)
        .mapToInt(Snapshot::shadowPid)
        .findFirst()
        .orElse(0);
  }

  private long unprepareNs() {
    long before = System.nanoTime();
    device.unprepare(handlerId);
    return System.nanoTime() - before;
  }

  /** The time of a fork(2), in the same state as a prepare. */
  private long forkNs() {
    function.settle();
    long before = System.nanoTime();
    int pid = LibC.forkAndEnd();
    long after = System.nanoTime();
    int result = pid < 0 ? pid : LibC.reap(pid);
    if (result < 0) {
      throw new IllegalStateException("fork(2) failed: " + Errno.meaning(-result));
    }
    return after - before;
  }

  /** Returns in the parent only: a child ends in it. */
  private long prepare(boolean pinned) {
    function.settle();
    long before = System.nanoTime();
    ForkRole role = pinned ? device.preparePinned(handlerId) : device.prepare(handlerId);
    long after = System.nanoTime();
    if (role == ForkRole.CHILD) {
      beChild(after);
    }
    return after - before;
  }

  /** Works, reports, and ends without the hooks of its parent: a child is no second parent. */
  private void beChild(long resumedNs) {
    int status = 1;
    try {
      if (childrenWork) {
        long before = System.nanoTime();
        boolean right = function.callsAreRight();
        long after = System.nanoTime();
        if (!report.send(steps(), resumedNs, after - before, after, right)) {
          stay(right);
        }
        status = right ? 0 : 1;
      } else {
        report.send(resumedNs, 0, resumedNs, true);
        status = 0;
      }
    } catch (Throwable e) {
      report.fail(resumedNs, e);
    } finally {
      Runtime.getRuntime().halt(status);
    }
  }

  private long[] steps() {
    ResumeTimes t = times;
    return new long[] {t.descriptorNs(), t.bornNs(), t.filesNs(), t.mappedNs(), t.goNs()};
  }

  /** A child of no launcher says what it would have reported, and stays until its input ends. */
  private void stay(boolean right) throws IOException {
    answer(right ? "held right" : "held wrong");
    while (System.in.read() >= 0) {
      continue;
    }
  }
}
