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
import org.mitosis.setting.ExitCode;
import org.mitosis.setting.FileFailure;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/**
 * The command {@code prepare-jvm}: has a JVM that runs already take a snapshot of itself, by the
 * attach interface.
 *
 * <p>The JDK announces itself to the process by SIGQUIT, which ends one that is no JVM: what the
 * process is comes first.
 */
@Command(
    name = "prepare-jvm",
    header = "Takes a snapshot of a running JVM.",
    description =
        "Makes the JVM with process id PID take a snapshot of itself, with all its threads and open"
            + " files; it continues to run. Hooks that its application has registered, also those"
            + " for org.crac, are called.")
final class PrepareJvmCommand implements BenchCommand {
  @Option(
      names = "--handler-id",
      paramLabel = "N",
      converter = HandlerId.class,
      description = "The key of the snapshot; by default 73.")
  private int handlerId = DEFAULT_HANDLER_ID;

  @Option(
      names = "--pinned",
      description = "The snapshot stays when the JVM ends, until 'mitosis-unprepare N'.")
  private boolean pinned;

  @Option(
      names = "--when-quiet",
      paramLabel = "SECONDS",
      converter = Seconds.class,
      description =
          "First collect garbage and wait until the JIT compiler is idle, at most SECONDS; then it"
              + " is an error.")
  private int quietS;

  @Parameters(paramLabel = "PID", converter = Pid.class, description = "The JVM's process id.")
  private int pid;

  private static final int DEFAULT_HANDLER_ID = 73;
  private static final int LONGEST_QUIET_S = 3600;
  private static final long DEADLINE_S = 60;
  private static final String NO_ATTACH = "-XX:+DisableAttachMechanism";

  private final Path agentJar;
  private final PrintStream out;

  PrepareJvmCommand(PrintStream out) {
    this(ownJar(), out);
  }

  /** For tests, with another jar that has the agent. */
  PrepareJvmCommand(Path agentJar, PrintStream out) {
    this.agentJar = agentJar;
    this.out = out;
  }

  @Override
  public ExitCode run(List<String> given) throws IOException {
    checkProcess(pid);
    prepare(pid);
    out.println(
        "prepared process "
            + pid
            + " as handler id "
            + handlerId
            + (pinned ? "; mitosis-unprepare " + handlerId + " drops it" : ""));
    return ExitCode.DONE;
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
      throw unreadable(pid, owner, System.getProperty("user.name"), e);
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

  static IOException unreadable(long pid, String owner, String user, IOException cause) {
    return new IOException(
        "process "
            + pid
            + " belongs to user "
            + owner
            + (owner.equals(user)
                ? ", as this command does, and its memory map cannot be read ("
                    + FileFailure.reason(cause)
                    + "): it has rights that this command lacks, so run it with CAP_SYS_PTRACE, in"
                    + " the process's own container"
                : ", and this command runs as "
                    + user
                    + ": run it as "
                    + owner
                    + (owner.equals("root") ? "" : " or as root")),
        cause);
  }

  private void prepare(long pid) throws IOException {
    String request = UUID.randomUUID().toString();
    long deadlineS = DEADLINE_S + quietS;
    FutureTask<String> outcome = new FutureTask<>(() -> load(pid, request));
    Thread thread = new Thread(outcome, "prepare-jvm");
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

  /** What a snapshot may be called. */
  static final class HandlerId extends Values.Between {
    HandlerId() {
      super(0, Integer.MAX_VALUE);
    }
  }

  /** How long to wait for quiet. */
  static final class Seconds extends Values.Between {
    Seconds() {
      super(1, LONGEST_QUIET_S);
    }
  }

  /** The id of a process. */
  static final class Pid extends Values.Between {
    Pid() {
      super(1, Integer.MAX_VALUE);
    }
  }
}
