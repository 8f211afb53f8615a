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
 * The coordinator's end of a channel to the agent on a machine. While it is open, the agent hears
 * of it every second; an agent that is not heard of for longer than its lease has failed.
 */
final class AgentLink implements AutoCloseable {
  private static final Duration BEAT = Duration.ofSeconds(1);
  private static final Duration CONNECT_DEADLINE = Duration.ofSeconds(60);

  /** For the jar over a slow line. */
  private static final Duration COPY_DEADLINE = Duration.ofSeconds(600);

  private static final Duration END_DEADLINE = Duration.ofSeconds(10);
  private static final Duration LAST_WORDS_WAIT = Duration.ofMillis(500);
  private static final int LAST_WORDS = 4;
  private static final int LOGIN_LINES = 1000;
  private static final int LONGEST_LINE = 1 << 16;

  private final ObjectMapper json = new ObjectMapper();
  private final String host;
  private final RemoteShell shell;
  private final Duration lease;
  private final Consumer<Task.Samples> samples;
  private final Process process;
  private final InputStream in;
  private final OutputStream out;
  private final AtomicLong lastId = new AtomicLong();
  private final Map<Long, CompletableFuture<JsonNode>> waiting = new ConcurrentHashMap<>();
  private final Deque<String> lastWords = new ArrayDeque<>();
  private final Thread errorReader;
  private volatile long heardNs = System.nanoTime();
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
    this.lease = lease;
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
   * @param log takes lines that the machine says beside
   * @throws MachineFailure if that is not possible, with what to do
   */
  static AgentLink open(
      String host,
      RemoteShell shell,
      Bootstrap bootstrap,
      ClusterConfig config,
      Consumer<Task.Samples> samples,
      Consumer<String> log) {
    // A session of its own: neither a lost terminal nor Ctrl-C is to reach it before us.
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
      reached.get(CONNECT_DEADLINE.toMillis(), TimeUnit.MILLISECONDS);
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
              + " s; try by hand: "
              + shell.trial(host));
    } catch (InterruptedException e) {
      link.kill();
      Thread.currentThread().interrupt();
      throw new MachineFailure(host, "interrupted");
    }
    link.heardNs = System.nanoTime();
    link.daemon("answers", link::readAnswers).start();
    link.daemon("beat", link::beat).start();
    link.daemon("watch", link::watch).start();
    return link;
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
      // The reader of answers notices as well, and knows more.
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
   * Asks, and waits.
   *
   * @throws MachineFailure if it fails, or is not done by the deadline
   */
  <T> T get(Task task, Class<T> type, Duration deadline) {
    return await(ask(task, type), deadline, task.getClass().getSimpleName());
  }

  /**
   * Waits for an answer.
   *
   * @param what is waited for, for the message
   * @throws MachineFailure if it fails, or is not there by the deadline
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

  /** Lets the agent end, and everything that it has started; waits for that. */
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

  /** Gives the channel up; the agent ends when its lease does. */
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
        // What it says next is why.
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
          "there is no '"
              + config.java()
              + "': install a Java 17 or newer there, or say where it is with JAVA=PATH";
      case "cannot-write" ->
          "benchmarks.jar cannot be written to "
              + config.projectPath()
              + quotedLastWords()
              + (rest.isEmpty() ? "" : " (" + rest + ", " + (bootstrap.bytes() >> 10) + " needed)")
              + "; free some space or choose another PROJECT_PATH";
      case "damaged" -> "benchmarks.jar arrived damaged; try again";
      case "differs" ->
          "version mismatch: benchmarks.jar in "
              + config.projectPath()
              + (rest.isEmpty() ? " is missing" : " is another one (" + rest + ")")
              + " and DEPLOY=false forbids copying ours there; put the same file on all machines";
      default -> "said '" + word + "' where benchmarks.jar was to be started" + quotedLastWords();
    };
  }

  private MachineFailure unreachable() {
    return new MachineFailure(
        host,
        "cannot be reached, or ended at once"
            + quotedLastWords()
            + "; try by hand: "
            + shell.trial(host));
  }

  /** What the script says next; what a login script prints is passed over. */
  private String readWord() throws IOException {
    for (int i = 0; i < LOGIN_LINES; i++) {
      String line = readLine();
      if (line.startsWith(Bootstrap.MARK)) {
        return line.substring(Bootstrap.MARK.length()).strip();
      }
    }
    throw new MachineFailure(host, "prints without end when a command is run there");
  }

  /** One line, and not a byte more. */
  private String readLine() throws IOException {
    ByteArrayOutputStream line = new ByteArrayOutputStream();
    for (int b = in.read(); b != '\n'; b = in.read()) {
      if (b < 0 || line.size() > LONGEST_LINE) {
        throw new IOException("the channel has ended");
      }
      line.write(b);
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

  private void readAnswers() {
    try (BufferedReader reader =
        new BufferedReader(new InputStreamReader(in, StandardCharsets.UTF_8))) {
      for (String line = reader.readLine(); line != null; line = reader.readLine()) {
        heardNs = System.nanoTime();
        take(json.readValue(line, Task.Reply.class));
      }
    } catch (JsonProcessingException e) {
      fail("printed what is no answer of an agent: " + e.getOriginalMessage());
      kill();
    } catch (IOException e) {
      // The end of the channel, as it were.
    } catch (RuntimeException e) {
      fail("its samples cannot be used: " + e);
      kill();
    }
    fail("ended" + quotedLastWords());
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

  /** A write to a connection that is cut may not return. */
  private void beat() {
    try {
      while (failure == null && !closing) {
        send(new Task.Request(0, new Task.Beat()));
        LockSupport.parkNanos(BEAT.toNanos());
      }
    } catch (IOException e) {
      // The reader of answers notices.
    }
  }

  private void watch() {
    while (failure == null && !closing) {
      if (System.nanoTime() - heardNs > lease.toNanos()) {
        fail(
            "has not been heard of for "
                + lease.toSeconds()
                + " s: powered off, or the network is cut; what ran there ends by itself");
        kill();
      }
      LockSupport.parkNanos(BEAT.toNanos() / 4);
    }
  }

  private void fail(String message) {
    synchronized (waiting) {
      if (failure == null) {
        failure = new MachineFailure(host, message);
      }
    }
    waiting.values().forEach(answer -> answer.completeExceptionally(failure));
  }

  private void readErrors(Consumer<String> log) {
    try (BufferedReader reader = process.errorReader(StandardCharsets.UTF_8)) {
      for (String line = reader.readLine(); line != null; line = reader.readLine()) {
        log.accept(line);
        synchronized (lastWords) {
          lastWords.addLast(line.strip());
          if (lastWords.size() > LAST_WORDS) {
            lastWords.removeFirst();
          }
        }
      }
    } catch (IOException e) {
      // It has ended.
    }
  }

  private String quotedLastWords() {
    try {
      errorReader.join(LAST_WORDS_WAIT.toMillis());
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
    synchronized (lastWords) {
      return lastWords.isEmpty() ? "" : "; it said: " + String.join(" / ", lastWords);
    }
  }

  private Thread daemon(String what, Runnable work) {
    Thread thread = new Thread(work, host + " " + what);
    thread.setDaemon(true);
    return thread;
  }
}
