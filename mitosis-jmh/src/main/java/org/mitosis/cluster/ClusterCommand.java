// SPDX-License-Identifier: Apache-2.0
package org.mitosis.cluster;

import com.fasterxml.jackson.databind.JsonNode;
import java.io.IOException;
import java.io.InputStream;
import java.io.PrintStream;
import java.net.InetAddress;
import java.net.UnknownHostException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.security.SecureRandom;
import java.time.Duration;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import java.util.stream.Stream;
import org.mitosis.Backend;
import org.mitosis.fixture.Machine;
import org.mitosis.result.Environment.Outcome;
import org.mitosis.result.ResultFolder;
import org.mitosis.setting.ExitCode;
import org.mitosis.setting.MissingPrerequisite;

/** The command {@code cluster}: benchmarks on several machines, from this one. */
public final class ClusterCommand {
  private static final Duration STANDSTILL = Duration.ofSeconds(5);
  private static final Duration STEP_DEADLINE = Duration.ofSeconds(400);

  private final PrintStream out;
  private final PrintStream err;
  private final CountDownLatch standing = new CountDownLatch(1);
  private volatile boolean interrupted;

  /** A command that prints to these streams. */
  public ClusterCommand(PrintStream out, PrintStream err) {
    this.out = out;
    this.err = err;
  }

  /**
   * What the user asks for.
   *
   * @param target a target, or what is done instead of one
   * @param config the config file
   * @param configGiven whether the user has named it
   * @param slurm whether the machines come from an allocation of Slurm
   * @param force whether {@code clean} ends a run of another user
   * @param values what replaces values of the file
   * @param commandLine the arguments, for the record
   */
  public record Request(
      String target,
      Path config,
      boolean configGiven,
      boolean slurm,
      boolean force,
      Map<String, String> values,
      List<String> commandLine) {}

  /** Whether these arguments start an agent: the coordinator does that, not a user. */
  public static boolean isAgent(String[] args) {
    return args.length == 1 && args[0].equals(Agent.COMMAND);
  }

  /** Runs the agent of this machine; returns the exit code. */
  public static int runAgent() {
    return Agent.run();
  }

  /** What a request may name: the targets, and what there is instead of one. */
  public static List<String> targets() {
    return Stream.concat(
            Stream.of("list", "check", "template"),
            Arrays.stream(Target.values()).map(Target::toString))
        .toList();
  }

  /** Carries it out; done if no machine failed. */
  public ExitCode run(Request request) throws IOException {
    try {
      return switch (request.target()) {
        case "list" -> list();
        case "template" -> template();
        default -> onMachines(request);
      };
    } catch (MachineFailure e) {
      return refuse(e.getMessage());
    } catch (Cluster.Failures e) {
      e.messages().forEach(this::refuse);
      return ExitCode.FAILED;
    }
  }

  private ExitCode list() {
    for (Target target : Target.values()) {
      out.println(String.format(Locale.ROOT, "%-34s %s", target, target.description()));
    }
    return ExitCode.DONE;
  }

  private ExitCode template() throws IOException {
    try (InputStream in = ClusterCommand.class.getResourceAsStream("cluster.conf")) {
      out.print(new String(in.readAllBytes(), StandardCharsets.UTF_8));
    }
    return ExitCode.DONE;
  }

  private static ClusterConfig config(Request request) {
    Map<String, Setting> settings = new LinkedHashMap<>();
    // With Slurm everything may come from the allocation.
    if (request.configGiven() || !request.slurm() || request.config().toFile().exists()) {
      settings.putAll(ConfigFile.read(request.config()));
    }
    request.values().forEach((key, value) -> settings.put(key, new Setting(value, "command line")));
    return ClusterConfig.of(settings);
  }

  private ExitCode onMachines(Request request) throws IOException {
    Target target = Target.named(request.target()).orElse(null);
    ClusterConfig config = config(request);
    RemoteShell shell;
    Roles roles;
    if (request.slurm()) {
      Slurm allocation = Slurm.ofAllocation(System.getenv());
      shell = allocation;
      roles = Roles.of(config, allocation);
    } else {
      shell = Ssh.of(config);
      roles = Roles.of(config);
    }
    Bootstrap bootstrap = Bootstrap.ofThisJar();
    if (target != null && target.kind().measures()) {
      return measure(request, target, config, shell, roles, bootstrap);
    }
    try (Cluster cluster =
        Cluster.open(roles.all(), shell, bootstrap, config, (host, samples) -> {}, this::relay)) {
      if (target == null) {
        return check(cluster, config, roles);
      }
      lock(cluster, roles.all(), target, request.force());
      return target == Target.CLEAN ? clean(cluster, roles) : deploy(cluster, config, roles);
    }
  }

  private void relay(String host, String line) {
    err.println(host + ": " + line);
  }

  private ExitCode check(Cluster cluster, ClusterConfig config, Roles roles) {
    ClusterCheck check = ClusterCheck.of(cluster, roles.all(), config, roles, true);
    out.print(check.text());
    check.warnings().forEach(warning -> out.println("warning: " + warning));
    List<String> problems = check.problems(true, true);
    problems.forEach(problem -> out.println("problem: " + problem));
    out.println(
        problems.isEmpty()
            ? roles.all().size() + " machines are ready"
            : "not ready: see the problems above");
    return problems.isEmpty() ? ExitCode.DONE : ExitCode.NOT_HERE;
  }

  private static void lock(Cluster cluster, List<String> hosts, Target target, boolean force) {
    String owner =
        System.getProperty("user.name")
            + "@"
            + hostName()
            + ", "
            + target
            + ", since "
            + Instant.now().truncatedTo(ChronoUnit.SECONDS);
    cluster.each(hosts, link -> link.get(new Task.Lock(owner, force), String.class, STEP_DEADLINE));
  }

  private static String hostName() {
    try {
      return InetAddress.getLocalHost().getHostName();
    } catch (UnknownHostException e) {
      return "unknown";
    }
  }

  private ExitCode deploy(Cluster cluster, ClusterConfig config, Roles roles) {
    for (String host : roles.all()) {
      out.println(
          host
              + ": benchmarks.jar "
              + (cluster.link(host).copied() ? "copied" : "is there already"));
    }
    if (config.backend() == Backend.KERNEL) {
      byte[] key = new byte[Machine.KEY_BYTES];
      new SecureRandom().nextBytes(key);
      String listen = config.parentGid().isEmpty() ? config.kernelAddress() : "";
      print(
          cluster.each(
              roles.all(),
              link ->
                  link.get(
                      new Task.LoadModule(
                          roles.idOf(link.host()),
                          link.host().equals(roles.parent()) ? listen : "",
                          key),
                      JsonNode.class,
                      KernelModule.LOAD_DEADLINE)));
    }
    ClusterCheck check = ClusterCheck.of(cluster, roles.all(), config, roles, false);
    List<String> problems = check.problems(false, true);
    problems.forEach(this::refuse);
    return problems.isEmpty() ? ExitCode.DONE : ExitCode.FAILED;
  }

  private ExitCode clean(Cluster cluster, Roles roles) {
    print(
        cluster.each(
            roles.all(), link -> link.get(new Task.Clean(), JsonNode.class, STEP_DEADLINE)));
    return ExitCode.DONE;
  }

  private void print(Map<String, JsonNode> messages) {
    messages.forEach(
        (host, said) -> said.forEach(line -> out.println(host + ": " + line.asText())));
  }

  private ExitCode measure(
      Request request,
      Target target,
      ClusterConfig config,
      RemoteShell shell,
      Roles roles,
      Bootstrap bootstrap)
      throws IOException {
    List<String> hosts = roles.takingPart(target);
    target.points(config); // reports invalid values before anything is started
    Hangup.ignore();
    Instant started = Instant.now();
    ResultFolder folder = folder(started, target);
    RunRecord record;
    try {
      record = new RunRecord(target, request.commandLine(), config, roles, folder, started);
    } catch (IOException e) {
      folder.discard();
      throw e;
    }
    ClusterRun run = new ClusterRun(target, config, roles, record, err, System.console() != null);
    Cluster[] open = {null};
    Thread hook =
        new Thread(
            () -> {
              interrupted = true;
              if (open[0] != null) {
                open[0].close();
              }
              // A connection that is not established yet has no agent to close.
              ProcessHandle.current().descendants().forEach(ProcessHandle::destroyForcibly);
              awaitStandstill();
              keep(run, record, Outcome.INTERRUPTED);
            },
            "mitosis-cluster-interruption");
    Runtime.getRuntime().addShutdownHook(hook);
    Outcome outcome = Outcome.FAILED;
    try (record) {
      try (Cluster cluster =
          Cluster.open(hosts, shell, bootstrap, config, run::samples, record::log)) {
        open[0] = cluster;
        ClusterCheck check = ClusterCheck.of(cluster, hosts, config, roles, target.ofFunctions());
        record.machines(check);
        List<String> problems = check.problems(target.resumes(), true);
        if (!problems.isEmpty()) {
          throw new Cluster.Failures(problems);
        }
        lock(cluster, hosts, target, false);
        check.warnings().stream()
            .filter(warning -> !warning.contains(": is in use by "))
            .forEach(warning -> err.println("mitosis: warning: " + warning));
        run.run(cluster, check, request.commandLine());
        run.describe(cluster, request.commandLine(), Outcome.COMPLETE.toString());
        outcome = Outcome.COMPLETE;
      }
    } catch (Cluster.Failures e) {
      parkIfInterrupted();
      record.failed(e.messages());
      e.messages().forEach(this::refuse);
    } catch (MachineFailure | MissingPrerequisite e) {
      parkIfInterrupted();
      record.failed(List.of(e.getMessage()));
      refuse(e.getMessage());
    }
    try {
      Runtime.getRuntime().removeShutdownHook(hook);
    } catch (IllegalStateException e) {
      interrupted = true;
      parkIfInterrupted();
    }
    keep(run, record, outcome);
    if (outcome != Outcome.COMPLETE) {
      refuse("the run is marked as failed; what was measured is in " + folder.path());
      return ExitCode.FAILED;
    }
    out.println("\nresults: " + folder.path());
    return ExitCode.DONE;
  }

  private static ResultFolder folder(Instant started, Target target) throws IOException {
    String exact = System.getProperty(ResultFolder.PROPERTY, "");
    return exact.isEmpty()
        ? ResultFolder.create(
            Path.of("results").toAbsolutePath(),
            started,
            hostName(),
            System.getProperty(ResultFolder.NAME_PROPERTY, "cluster-" + target))
        : ResultFolder.createExactly(Path.of(exact).toAbsolutePath().normalize());
  }

  private void keep(ClusterRun run, RunRecord record, Outcome outcome) {
    try {
      String tables = run.tables();
      record.table(tables);
      record.end(outcome);
      out.print(tables);
    } catch (IOException e) {
      refuse(e.getMessage());
    }
  }

  /** Waits, within a deadline, until the run's thread has stored the samples received so far. */
  private void awaitStandstill() {
    try {
      standing.await(STANDSTILL.toMillis(), TimeUnit.MILLISECONDS);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  /** Parks this thread until the JVM exits. */
  private void parkIfInterrupted() {
    while (interrupted) {
      standing.countDown();
      LockSupport.park();
    }
  }

  private ExitCode refuse(String message) {
    err.println("mitosis: " + message);
    return ExitCode.FAILED;
  }
}
