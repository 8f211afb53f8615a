// SPDX-License-Identifier: Apache-2.0
package org.mitosis.cli;

import com.sun.tools.attach.AgentInitializationException;
import com.sun.tools.attach.AgentLoadException;
import com.sun.tools.attach.AttachNotSupportedException;
import com.sun.tools.attach.VirtualMachine;
import java.io.IOException;
import java.io.PrintStream;
import java.net.URISyntaxException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.UUID;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.FutureTask;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import org.mitosis.agent.PrepareAgent;

/**
 * The command {@code prepare-jvm}: has a JVM that runs already take a snapshot of itself, by the
 * attach interface.
 *
 * <p>The JDK announces itself to the process by SIGQUIT, which ends one that is no JVM: what the
 * process is comes first.
 */
final class PrepareJvmCommand {
  static final String WORD = "prepare-jvm";

  static final String HELP =
      """
      java -jar benchmarks.jar prepare-jvm [OPTION]... PID

      Has the JVM with process id PID take a snapshot of itself, with all its threads and open
      files; it runs on. Hooks for snapshots that its application has, also those for org.crac, run.

        --handler-id N        the key of the snapshot; by default 73
        --pinned              the snapshot stays when the JVM ends, until 'mitosis-unprepare N'
        --when-quiet SECONDS  collect garbage and wait until the JIT compiler stands still first; an
                              error after SECONDS

      Exit code 0 if there is a snapshot, 1 if not, 2 for bad arguments.
      """;

  private static final int DEFAULT_HANDLER_ID = 73;
  private static final int LONGEST_QUIET_S = 3600;
  private static final long DEADLINE_S = 60;
  private static final String NO_ATTACH = "-XX:+DisableAttachMechanism";

  private final Path agentJar;
  private final PrintStream out;
  private final PrintStream err;

  private int handlerId = DEFAULT_HANDLER_ID;
  private int quietS;
  private boolean pinned;

  PrepareJvmCommand(PrintStream out, PrintStream err) {
    this(ownJar(), out, err);
  }

  /** For tests, with another jar that has the agent. */
  PrepareJvmCommand(Path agentJar, PrintStream out, PrintStream err) {
    this.agentJar = agentJar;
    this.out = out;
    this.err = err;
  }

  int run(String[] args) {
    if (args.length == 1 && List.of("--help", "-h").contains(args[0])) {
      out.print(HELP);
      return 0;
    }
    Long pid = null;
    try {
      for (int i = 0; i < args.length; i++) {
        if (args[i].equals("--handler-id")) {
          handlerId = number(args, i++, 0, Integer.MAX_VALUE);
        } else if (args[i].equals("--when-quiet")) {
          quietS = number(args, i++, 1, LONGEST_QUIET_S);
        } else if (args[i].equals("--pinned")) {
          pinned = true;
        } else if (args[i].startsWith("-") || pid != null) {
          throw new IllegalArgumentException("unknown option or argument '" + args[i] + "'");
        } else {
          pid = (long) number("PID", args[i], 1, Integer.MAX_VALUE);
        }
      }
      if (pid == null) {
        throw new IllegalArgumentException("it takes the process id of a JVM");
      }
    } catch (IllegalArgumentException e) {
      err.println(WORD + ": " + e.getMessage() + ": see " + WORD + " --help");
      return 2;
    }
    try {
      checkProcess(pid);
      prepare(pid);
      out.println(
          "prepared process "
              + pid
              + " as handler id "
              + handlerId
              + (pinned ? "; mitosis-unprepare " + handlerId + " drops it" : ""));
      return 0;
    } catch (IOException e) {
      err.println(WORD + ": " + e.getMessage());
      return 1;
    }
  }

  private static int number(String[] args, int option, int min, int max) {
    if (option + 1 == args.length) {
      throw new IllegalArgumentException(args[option] + " needs a value");
    }
    return number(args[option], args[option + 1], min, max);
  }

  private static int number(String name, String text, int min, int max) {
    try {
      int value = Integer.parseInt(text);
      if (value >= min && value <= max) {
        return value;
      }
    } catch (NumberFormatException e) {
      // told below
    }
    throw new IllegalArgumentException(
        name + " must be a number from " + min + " to " + max + ", got '" + text + "'");
  }

  private static void checkProcess(long pid) throws IOException {
    Path process = Path.of("/proc", Long.toString(pid));
    if (!Files.isDirectory(process)) {
      throw new IOException("there is no process " + pid + " on this machine");
    }
    if (pid == ProcessHandle.current().pid()) {
      throw new IOException("process " + pid + " is this command: name another JVM");
    }
    String owner = Files.getOwner(process).getName();
    String maps;
    String command;
    try {
      // A path may have bytes of any encoding.
      maps = Files.readString(process.resolve("maps"), StandardCharsets.ISO_8859_1);
      command = Files.readString(process.resolve("cmdline"), StandardCharsets.ISO_8859_1);
    } catch (IOException e) {
      throw new IOException(
          "process "
              + pid
              + " belongs to user "
              + owner
              + ", and this command runs as "
              + System.getProperty("user.name")
              + ": run it as "
              + owner
              + " or as root",
          e);
    }
    if (!maps.contains("/libjvm.so")) {
      throw new IOException(
          "process "
              + pid
              + " ("
              + command.replace('\0', ' ').strip()
              + ") is no JVM: it has no libjvm.so mapped");
    }
    if (List.of(command.split("\0")).contains(NO_ATTACH)) {
      throw new IOException(
          "process " + pid + " was started with " + NO_ATTACH + ": start it without");
    }
  }

  private void prepare(long pid) throws IOException {
    String request = UUID.randomUUID().toString();
    long deadlineS = DEADLINE_S + quietS;
    FutureTask<String> outcome = new FutureTask<>(() -> load(pid, request));
    Thread thread = new Thread(outcome, WORD);
    thread.setDaemon(true); // the interface of the JDK has no deadline
    thread.start();
    String said;
    try {
      said = outcome.get(deadlineS, TimeUnit.SECONDS);
    } catch (TimeoutException e) {
      throw new IOException(
          "process "
              + pid
              + " does not answer within "
              + deadlineS
              + " s: look at its threads with jstack "
              + pid,
          e);
    } catch (ExecutionException e) {
      throw explained(pid, e.getCause());
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new IOException("interrupted while process " + pid + " prepared", e);
    }
    if (!said.equals(request + " prepared")) {
      throw new IOException(
          said.startsWith(request)
              ? "process " + pid + ": " + said.substring(request.length() + " failed: ".length())
              : "process " + pid + " does not say what came of it: look at its output");
    }
  }

  private String load(long pid, String request)
      throws AttachNotSupportedException,
          IOException,
          AgentLoadException,
          AgentInitializationException {
    VirtualMachine jvm = VirtualMachine.attach(Long.toString(pid));
    try {
      jvm.loadAgent(
          agentJar.toString(),
          "request="
              + request
              + ",handlerId="
              + handlerId
              + ",pinned="
              + pinned
              + ",quietMs="
              + TimeUnit.SECONDS.toMillis(quietS));
      return String.valueOf(jvm.getSystemProperties().get(PrepareAgent.OUTCOME_PROPERTY));
    } finally {
      jvm.detach();
    }
  }

  private IOException explained(long pid, Throwable cause) {
    if (cause instanceof AttachNotSupportedException) {
      return new IOException(
          "process "
              + pid
              + " does not let a tool attach ("
              + cause.getMessage()
              + "): it is stopped, started with "
              + NO_ATTACH
              + ", or its /tmp is not the one of this command",
          cause);
    }
    if (cause instanceof AgentLoadException || cause instanceof AgentInitializationException) {
      return new IOException(
          "process "
              + pid
              + " cannot load "
              + agentJar
              + " ("
              + cause.getMessage()
              + "): its user must be able to read that file, and "
              + "-XX:-EnableDynamicAgentLoading must not be set",
          cause);
    }
    return new IOException("process " + pid + " cannot be prepared: " + cause.getMessage(), cause);
  }

  private static Path ownJar() {
    try {
      return Path.of(
          PrepareAgent.class.getProtectionDomain().getCodeSource().getLocation().toURI());
    } catch (URISyntaxException e) {
      throw new IllegalStateException("a class path entry is no file", e);
    }
  }
}
