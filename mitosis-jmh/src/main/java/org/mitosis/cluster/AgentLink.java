// SPDX-License-Identifier: Apache-2.0
package org.mitosis.cluster;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.BufferedInputStream;
import java.io.BufferedReader;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.InputStreamReader;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.locks.LockSupport;
import java.util.function.Consumer;

/**
 * The coordinator's end of a channel to the agent on a machine. While it is open, it sends a beat
 * every second; an agent that sends nothing for longer than its lease has failed.
 */
final class AgentLink implements AutoCloseable {
  private static final Duration BEAT = Duration.ofSeconds(1);
  private static final Duration CONNECT_DEADLINE = Duration.ofSeconds(60);

  /** For the jar over a slow line. */
  private static final Duration COPY_DEADLINE = Duration.ofSeconds(600);

  private static final Duration END_DEADLINE = Duration.ofSeconds(10);
  private static final Duration ERROR_OUTPUT_WAIT = Duration.ofMillis(500);
  private static final int LAST_ERROR_LINES = 4;
  private static final int LOGIN_LINES = 1000;

  /** Of each line of an agent. */
  private static final String ANSWER_START = "{";

  private static final int LONGEST_LINE = 1 << 16;

  /** After that time without an answer, what a login script has printed is reported. */
  private static final Duration LOGIN_PATIENCE = Duration.ofSeconds(3);

  private final ObjectMapper json = new ObjectMapper();
  private final String host;
  private final RemoteShell shell;
  private final Lease lease;
  private final Consumer<Task.Samples> samples;
  private final Process process;
  private final InputStream in;
  private final OutputStream out;
  private final AtomicLong lastId = new AtomicLong();
  private final Map<Long, CompletableFuture<JsonNode>> waiting = new ConcurrentHashMap<>();
  private final Deque<String> lastErrors = new ArrayDeque<>();
  private final Thread errorReader;
  private final LoginNoise noise = new LoginNoise();
  private volatile MachineFailure failure;
  private volatile boolean closing;
  private boolean copied;

  private AgentLink(
      String host,
      RemoteShell shell,
      Duration lease,
      Process process,
      Consumer<Task.Samples> samples,
      Consumer<String> log) {
    this.host = host;
    this.shell = shell;
    this.lease = new Lease(lease, System::nanoTime);
    this.process = process;
    this.samples = samples;
    this.in = new BufferedInputStream(process.getInputStream());
    this.out = process.getOutputStream();
    this.errorReader = daemon("errors", () -> readErrors(log));
  }

  /**
   * Starts an agent on a machine, copying the jar if it is not there.
   *
   * @param samples takes what is streamed, on a thread of the link
   * @param log takes lines that the machine prints to standard error
   * @throws MachineFailure if that fails; the message says what to do
   */
  static AgentLink open(
      String host,
      RemoteShell shell,
      Bootstrap bootstrap,
      ClusterConfig config,
      Consumer<Task.Samples> samples,
      Consumer<String> log) {
    // A session of its own: otherwise SIGHUP and SIGINT of the terminal reach ssh, too.
    List<String> command = new ArrayList<>(List.of("setsid"));
    command.addAll(shell.commandLine(host, bootstrap.command(config)));
    Process process;
    try {
      process = new ProcessBuilder(command).start();
    } catch (IOException e) {
      throw new MachineFailure(host, command.get(1) + " cannot be started: " + e.getMessage());
    }
    AgentLink link =
        new AgentLink(
            host, shell, Duration.ofSeconds(config.leaseSeconds()), process, samples, log);
    link.errorReader.start();
    CompletableFuture<String> reached = new CompletableFuture<>();
    CompletableFuture<Void> started = new CompletableFuture<>();
    Thread starter =
        link.daemon(
            "start",
            () -> {
              try {
                reached.complete(link.readWord());
                link.bootstrap(reached.join(), bootstrap, config);
                started.complete(null);
              } catch (MachineFailure e) {
                reached.completeExceptionally(e);
                started.completeExceptionally(e);
              } catch (IOException e) {
                MachineFailure unreachable = link.unreachable();
                reached.completeExceptionally(unreachable);
                started.completeExceptionally(unreachable);
              }
            });
    starter.start();
    try {
      link.awaitLogin(reached, log);
      started.get(COPY_DEADLINE.toMillis(), TimeUnit.MILLISECONDS);
    } catch (ExecutionException e) {
      link.kill();
      throw (MachineFailure) e.getCause();
    } catch (TimeoutException e) {
      link.kill();
      throw new MachineFailure(
          host,
          (reached.isDone()
                  ? "benchmarks.jar not copied within " + COPY_DEADLINE.toSeconds()
                  : "no answer within " + CONNECT_DEADLINE.toSeconds())
              + " s"
              + link.noise.quoted()
              + "; try by hand: "
              + shell.trial(host));
    } catch (InterruptedException e) {
      link.kill();
      Thread.currentThread().interrupt();
      throw new MachineFailure(host, "interrupted");
    }
    link.lease.renew();
    link.daemon("answers", () -> link.readAnswers(log)).start();
    link.daemon("beat", link::beat).start();
    link.daemon("watch", link::watch).start();
    return link;
  }

  /** Waits for the first answer; a login script that keeps it waiting is named meanwhile. */
  private void awaitLogin(CompletableFuture<String> reached, Consumer<String> log)
      throws ExecutionException, TimeoutException, InterruptedException {
    try {
      reached.get(LOGIN_PATIENCE.toMillis(), TimeUnit.MILLISECONDS);
    } catch (TimeoutException e) {
      String quoted = noise.quoted();
      if (!quoted.isEmpty()) {
        log.accept("has not answered yet" + quoted);
      }
      reached.get(CONNECT_DEADLINE.minus(LOGIN_PATIENCE).toMillis(), TimeUnit.MILLISECONDS);
    }
  }

  String host() {
    return host;
  }

  /** Whether the jar had to be copied. */
  boolean copied() {
    return copied;
  }

  /**
   * Asks for a task to be carried out.
   *
   * @return its answer, or a {@link MachineFailure}
   */
  <T> CompletableFuture<T> ask(Task task, Class<T> type) {
    long id = lastId.incrementAndGet();
    CompletableFuture<JsonNode> answer = new CompletableFuture<>();
    waiting.put(id, answer);
    if (failure != null) {
      answer.completeExceptionally(failure);
    }
    try {
      send(new Task.Request(id, task));
    } catch (IOException e) {
      // The reader of answers fails as well, with a more exact message.
    }
    return answer.thenApply(
        value -> {
          try {
            return json.treeToValue(value, type);
          } catch (JsonProcessingException e) {
            throw new MachineFailure(
                host, "its answer to " + task + " is not understood: " + value);
          }
        });
  }

  /**
   * Asks for a task, and waits for its answer.
   *
   * @throws MachineFailure if the task fails or misses the deadline
   */
  <T> T get(Task task, Class<T> type, Duration deadline) {
    return await(ask(task, type), deadline, task.getClass().getSimpleName());
  }

  /**
   * Waits for an answer.
   *
   * @param what what is waited for, for the message
   * @throws MachineFailure if the task fails or misses the deadline
   */
  <T> T await(CompletableFuture<T> answer, Duration deadline, String what) {
    try {
      return answer.get(deadline.toMillis(), TimeUnit.MILLISECONDS);
    } catch (ExecutionException e) {
      if (e.getCause() instanceof MachineFailure known) {
        throw known;
      }
      throw new MachineFailure(host, String.valueOf(e.getCause().getMessage()));
    } catch (TimeoutException e) {
      throw new MachineFailure(host, what + " not done within " + deadline.toSeconds() + " s");
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new MachineFailure(host, "interrupted");
    }
  }

  /** Ends the agent and everything that it has started, and waits until they have ended. */
  @Override
  public void close() {
    closing = true;
    try {
      out.close();
    } catch (IOException e) {
      // It has ended already.
    }
    try {
      if (!process.waitFor(END_DEADLINE.toMillis(), TimeUnit.MILLISECONDS)) {
        kill();
      }
    } catch (InterruptedException e) {
      kill();
      Thread.currentThread().interrupt();
    }
  }

  /** Closes the channel without waiting; the agent ends when its lease expires. */
  private void kill() {
    closing = true;
    process.destroyForcibly();
  }

  private void bootstrap(String first, Bootstrap bootstrap, ClusterConfig config)
      throws IOException {
    String word = first;
    if (word.equals("need")) {
      copied = true;
      try (InputStream jar = bootstrap.open()) {
        jar.transferTo(out);
        out.flush();
      } catch (IOException e) {
        // The next line of the script says why.
      }
      word = readWord();
    }
    if (!word.equals("have")) {
      throw new MachineFailure(host, explain(word, bootstrap, config));
    }
  }

  private String explain(String word, Bootstrap bootstrap, ClusterConfig config) {
    String[] parts = word.split(" ", 2);
    String rest = parts.length > 1 ? parts[1] : "";
    return switch (parts[0]) {
      case "no-java" ->
          "there is no '" + config.java() + "': install Java 17 or newer there, or set JAVA=PATH";
      case "cannot-write" ->
          "benchmarks.jar cannot be written to "
              + config.projectPath()
              + quotedErrors()
              + (rest.isEmpty() ? "" : " (" + rest + ", " + (bootstrap.bytes() >> 10) + " needed)")
              + "; free some space or choose another PROJECT_PATH";
      case "unsafe" ->
          "every user there can change what "
              + config.projectPath()
              + " leads to, by "
              + rest
              + ", and it would run as this account; choose another PROJECT_PATH, or make that folder"
              + " this account's alone";
      case "damaged" -> "benchmarks.jar arrived damaged; try again";
      case "differs" ->
          "version mismatch: benchmarks.jar in "
              + config.projectPath()
              + (rest.isEmpty() ? " is missing" : " is another one (" + rest + ")")
              + " and DEPLOY=false forbids copying ours there; put the same file on all machines";
      default -> "answered '" + word + "' when benchmarks.jar was started" + quotedErrors();
    };
  }

  private MachineFailure unreachable() {
    return new MachineFailure(
        host,
        "cannot be reached, or ended at once"
            + quotedErrors()
            + noise.quoted()
            + "; try by hand: "
            + shell.trial(host));
  }

  /**
   * The next answer of the script; skips what login scripts print, which may be on the same line.
   */
  private String readWord() throws IOException {
    for (int i = 0; i < LOGIN_LINES; i++) {
      String line = readLine();
      int mark = line.lastIndexOf(Bootstrap.MARK);
      if (mark >= 0) {
        noise.forget();
        return line.substring(mark + Bootstrap.MARK.length()).strip();
      }
    }
    throw new MachineFailure(
        host, "a login script there prints more than " + LOGIN_LINES + " lines" + noise.quoted());
  }

  /** Reads one line, and no byte after it. */
  private String readLine() throws IOException {
    ByteArrayOutputStream line = new ByteArrayOutputStream();
    for (int b = in.read(); b != '\n'; b = in.read()) {
      if (b < 0 || line.size() > LONGEST_LINE) {
        throw new IOException("the channel has ended");
      }
      line.write(b);
      noise.add(b);
    }
    return line.toString(StandardCharsets.UTF_8).strip();
  }

  private void send(Task.Request request) throws IOException {
    byte[] line = (json.writeValueAsString(request) + "\n").getBytes(StandardCharsets.UTF_8);
    synchronized (out) {
      out.write(line);
      out.flush();
    }
  }

  private void readAnswers(Consumer<String> log) {
    try (BufferedReader reader =
        new BufferedReader(new InputStreamReader(in, StandardCharsets.UTF_8))) {
      for (String line = reader.readLine(); line != null; line = reader.readLine()) {
        lease.renew();
        if (line.startsWith(ANSWER_START)) {
          take(json.readValue(line, Task.Reply.class));
        } else if (!line.isBlank()) {
          // Of a Java that is told to report something on its standard output.
          log.accept(LoginNoise.printable(line));
        }
      }
    } catch (JsonProcessingException e) {
      fail("printed what is not an answer of an agent: " + e.getOriginalMessage());
      kill();
    } catch (IOException e) {
      // The channel has ended.
    } catch (RuntimeException e) {
      fail("its samples cannot be used: " + e);
      kill();
    }
    fail("ended" + quotedErrors());
  }

  private void take(Task.Reply reply) {
    if (reply.samples() != null) {
      samples.accept(reply.samples());
      return;
    }
    CompletableFuture<JsonNode> answer = waiting.remove(reply.id());
    if (answer == null) {
      return;
    }
    if (reply.error() != null) {
      answer.completeExceptionally(new MachineFailure(host, reply.error()));
    } else {
      answer.complete(reply.value());
    }
  }

  /** Runs in a thread of its own: a write to a connection that is cut may block forever. */
  private void beat() {
    try {
      while (failure == null && !closing) {
        send(new Task.Request(0, new Task.Beat()));
        LockSupport.parkNanos(BEAT.toNanos());
      }
    } catch (IOException e) {
      // The reader of answers reports it.
    }
  }

  private void watch() {
    while (failure == null && !closing) {
      if (lease.isExpired()) {
        fail(
            "has sent nothing for "
                + lease.length().toSeconds()
                + " s: it is powered off, or the network is cut; what ran there ends by itself");
        kill();
      }
      LockSupport.parkNanos(BEAT.toNanos() / 4);
    }
  }

  private void fail(String problem) {
    synchronized (waiting) {
      if (failure == null) {
        failure = new MachineFailure(host, problem);
      }
    }
    waiting.values().forEach(answer -> answer.completeExceptionally(failure));
  }

  private void readErrors(Consumer<String> log) {
    try (BufferedReader reader = process.errorReader(StandardCharsets.UTF_8)) {
      for (String line = reader.readLine(); line != null; line = reader.readLine()) {
        log.accept(line);
        synchronized (lastErrors) {
          lastErrors.addLast(line.strip());
          if (lastErrors.size() > LAST_ERROR_LINES) {
            lastErrors.removeFirst();
          }
        }
      }
    } catch (IOException e) {
      // It has ended.
    }
  }

  private String quotedErrors() {
    try {
      errorReader.join(ERROR_OUTPUT_WAIT.toMillis());
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
    synchronized (lastErrors) {
      return lastErrors.isEmpty() ? "" : "; it said: " + String.join(" / ", lastErrors);
    }
  }

  private Thread daemon(String what, Runnable work) {
    Thread thread = new Thread(work, host + " " + what);
    thread.setDaemon(true);
    return thread;
  }
}
