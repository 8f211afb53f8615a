// SPDX-License-Identifier: Apache-2.0
package org.mitosis.cluster;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStream;
import java.io.InputStreamReader;
import java.io.OutputStream;
import java.io.PrintStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.locks.LockSupport;
import org.mitosis.MitosisException;
import org.mitosis.setting.MissingPrerequisite;

/**
 * The process that carries out the coordinator's tasks on a machine during a run. It reads them
 * from standard input, and ends everything it has started when that is closed or its lease expires
 * without a line from the coordinator: nothing stays if the coordinator dies or the connection is
 * cut.
 */
final class Agent {
  /** The argument that starts an agent. */
  static final String COMMAND = "cluster-agent";

  /** System property: the lease, in s: the agent ends after that time without a line. */
  static final String LEASE_PROPERTY = "mitosis.cluster.leaseSeconds";

  /** Time to end everything, before this JVM is halted. */
  private static final Duration END_DEADLINE = Duration.ofSeconds(8);

  private static final int LEASE_OVER = 3;
  private static final Duration POLL = Duration.ofMillis(100);

  private final ObjectMapper json = new ObjectMapper();
  private final InputStream in;
  private final PrintStream out;
  private final Lease lease;
  private final AgentTasks tasks;

  private Agent(InputStream in, OutputStream out, Duration lease) {
    this.in = in;
    this.out = new PrintStream(out, false, StandardCharsets.UTF_8);
    this.lease = new Lease(lease, System::nanoTime);
    this.tasks = new AgentTasks(this::send);
  }

  /** Whether a process is an agent. */
  static boolean isAgent(ProcessHandle process) {
    return process.info().commandLine().orElse("").contains(" " + COMMAND);
  }

  /**
   * Carries out tasks until standard input ends.
   *
   * @return the exit code
   */
  static int run() {
    OutputStream channel = System.out;
    // What code prints to standard output must not get into the channel.
    System.setOut(System.err);
    Duration lease =
        Duration.ofSeconds(Long.getLong(LEASE_PROPERTY, ClusterConfig.DEFAULT_LEASE_S));
    Agent agent = new Agent(System.in, channel, lease);
    Runtime.getRuntime().addShutdownHook(new Thread(agent::end, "mitosis-agent-end"));
    Thread watch = new Thread(agent::watchLease, "mitosis-agent-lease");
    watch.setDaemon(true);
    watch.start();
    return agent.serve();
  }

  private int serve() {
    ExecutorService worker = Executors.newSingleThreadExecutor(Agent::daemonThread);
    try (BufferedReader reader =
        new BufferedReader(new InputStreamReader(in, StandardCharsets.UTF_8))) {
      for (String line = reader.readLine(); line != null; line = reader.readLine()) {
        lease.renew();
        Task.Request request = json.readValue(line, Task.Request.class);
        if (request.task() instanceof Task.Beat) {
          send(new Task.Reply(request.id(), null, null, null));
        } else {
          worker.execute(() -> carryOut(request));
        }
      }
    } catch (JsonProcessingException e) {
      System.err.println("the coordinator is of another release: " + e.getOriginalMessage());
      return 1;
    } catch (IOException e) {
      // The same as the end of the input.
    }
    haltLater();
    return 0; // the caller exits, and the hook ends everything
  }

  private void carryOut(Task.Request request) {
    try {
      Object value = tasks.carryOut(request.task());
      send(new Task.Reply(request.id(), json.valueToTree(value), null, null));
    } catch (MissingPrerequisite
        | IllegalStateException
        | IllegalArgumentException
        | MitosisException
        | UncheckedIOException
        | IOException e) {
      String message = e.getMessage();
      send(new Task.Reply(request.id(), null, message == null ? e.toString() : message, null));
    } catch (RuntimeException e) {
      send(new Task.Reply(request.id(), null, "internal error of benchmarks.jar: " + e, null));
    }
  }

  private void send(Task.Reply reply) {
    String line;
    try {
      line = json.writeValueAsString(reply);
    } catch (JsonProcessingException e) {
      throw new UncheckedIOException(e);
    }
    synchronized (out) {
      out.print(line + "\n");
      out.flush();
    }
  }

  private void watchLease() {
    while (!lease.isExpired()) {
      LockSupport.parkNanos(POLL.toNanos());
    }
    haltLater();
    System.exit(LEASE_OVER);
  }

  /** Ends this process even if a thread hangs, as in a write to a connection that is cut. */
  private static void haltLater() {
    Thread thread =
        daemonThread(
            () -> {
              long startNs = System.nanoTime();
              while (System.nanoTime() - startNs < END_DEADLINE.toNanos()) {
                LockSupport.parkNanos(POLL.toNanos());
              }
              Runtime.getRuntime().halt(LEASE_OVER);
            });
    thread.start();
  }

  private void end() {
    tasks.close();
  }

  private static Thread daemonThread(Runnable work) {
    Thread thread = new Thread(work, "mitosis-agent");
    thread.setDaemon(true);
    return thread;
  }
}
