// SPDX-License-Identifier: Apache-2.0
package org.mitosis.cluster;

import com.fasterxml.jackson.databind.JsonNode;
import java.io.IOException;
import java.io.PrintStream;
import java.security.SecureRandom;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import org.mitosis.Backend;
import org.mitosis.fixture.Machine;
import org.mitosis.fixture.MachineMemory;
import org.mitosis.fixture.MemorySize;
import org.mitosis.fixture.PythonFunction;
import org.mitosis.fixture.Verify;
import org.mitosis.result.ArtifactTable;
import org.mitosis.result.TableText;

/**
 * Runs one target on machines that have agents: for each point it starts the parent first, then all
 * loops at once. The machines measure; this host only works between the points.
 */
final class ClusterRun {
  private static final Duration STEP_DEADLINE = Duration.ofSeconds(180);
  private static final Duration RUN_GRACE = Duration.ofSeconds(120);

  /** Time between the command to start and the start. */
  private static final Duration LEAD = Duration.ofMillis(250);

  private static final double NS_PER_MS = 1e6;
  private static final double NS_PER_S = 1e9;

  /** Parent, snapshot and child may each have a copy of the working set. */
  private static final int COPIES = 3;

  private final Target target;
  private final ClusterConfig config;
  private final Roles roles;
  private final RunRecord record;
  private final PrintStream err;
  private final boolean terminal;
  private final List<String> hosts;
  private final Map<String, List<ArtifactLine>> byTrace = new LinkedHashMap<>();
  private final List<Measurement> done = new ArrayList<>();
  private ClusterCheck check;
  private String parentAddress = "";
  private Map<String, String> addresses = Map.of(); // of machines of the user backend
  private volatile Measurement current;

  ClusterRun(
      Target target,
      ClusterConfig config,
      Roles roles,
      RunRecord record,
      PrintStream err,
      boolean terminal) {
    this.target = target;
    this.config = config;
    this.roles = roles;
    this.record = record;
    this.err = err;
    this.terminal = terminal;
    this.hosts = roles.takingPart(target);
  }

  /** Takes samples that a machine streams. */
  void samples(String host, Task.Samples samples) {
    Measurement measurement = current;
    if (measurement != null) {
      measurement.add(host, check.clocks().get(host), samples);
    }
  }

  /**
   * Measures everything.
   *
   * @throws Cluster.Failures if a machine fails; the samples so far are kept
   */
  void run(Cluster cluster, ClusterCheck checked, List<String> commandLine) throws IOException {
    check = checked;
    describe(cluster, commandLine, "");
    List<Point> points = fitting(target.points(config));
    if (config.backend() == Backend.USER && target.kind() != Target.Kind.EMPTY) {
      startMachines(cluster);
    } else if (config.backend() == Backend.KERNEL) {
      parentAddress = config.kernelAddress();
    }
    for (Point point : points) {
      measure(cluster, point);
    }
  }

  /** Writes the environment of each machine, before and after the run. */
  void describe(Cluster cluster, List<String> commandLine, String outcome) throws IOException {
    Map<String, JsonNode> environments =
        cluster.each(
            hosts,
            link ->
                link.get(new Task.Describe(commandLine, outcome), JsonNode.class, STEP_DEADLINE));
    for (Map.Entry<String, JsonNode> environment : environments.entrySet()) {
      record.environment(environment.getKey(), environment.getValue());
    }
  }

  /**
   * The points that fit the memory and the installed packages of the machines; reports the others.
   *
   * @throws Cluster.Failures if the config names one that does not fit
   */
  private List<Point> fitting(List<Point> points) {
    List<String> leftOut = new ArrayList<>();
    List<Point> fitting = new ArrayList<>();
    long memory = hosts.stream().mapToLong(h -> check.facts().get(h).memoryBytes()).min().orElse(0);
    for (Point point : points) {
      String size = point.parameters().getOrDefault(MemorySize.PROPERTY, "");
      String function = point.parameters().getOrDefault(PythonFunction.PROPERTY, "");
      String lacking =
          function.isEmpty()
              ? ""
              : check
                  .facts()
                  .get(roles.parent())
                  .functions()
                  .getOrDefault(PythonFunction.parse(function).name(), "");
      if (!size.isEmpty()
          && !new MachineMemory(memory, "")
              .fits(MemorySize.parse(size), COPIES, MachineMemory.OVERHEAD_BYTES)) {
        leftOut.add(
            size
                + ": needs "
                + COPIES
                + " times that, and "
                + (memory >> 20)
                + " MiB are available");
      } else if (!lacking.isEmpty()) {
        leftOut.add(roles.parent() + ": " + lacking);
      } else {
        fitting.add(point);
      }
    }
    boolean asked =
        target.ofFunctions()
            ? !config.givenFunctions().isEmpty()
            : !config.givenMemorySizes().isEmpty();
    if (fitting.isEmpty() || (asked && !leftOut.isEmpty())) {
      throw new Cluster.Failures(leftOut);
    }
    leftOut.forEach(message -> err.println("mitosis: left out: " + message));
    record.leftOut(leftOut);
    return fitting;
  }

  private void startMachines(Cluster cluster) {
    byte[] key = new byte[Machine.KEY_BYTES];
    new SecureRandom().nextBytes(key);
    addresses =
        cluster.each(
            hosts,
            link ->
                link.get(
                    new Task.StartMachine(
                        roles.idOf(link.host()),
                        key,
                        listen(link.host()),
                        config.overRdma(),
                        config.replicaFill(),
                        config.verify(),
                        servesChildren(link.host()) && config.overRdma() ? config.parentGid() : ""),
                    String.class,
                    STEP_DEADLINE));
    parentAddress = addresses.get(roles.parent());
  }

  private boolean servesChildren(String host) {
    return host.equals(roles.parent()) && !roles.children().isEmpty() && target.usesChildren();
  }

  /** The machine that a machine gets pages from; empty for the parent's own. */
  private String source(String host) {
    return roles.source(host, config.fanOut()).orElse("");
  }

  private String sourceAddress(String host) {
    String source = source(host);
    return source.equals(roles.parent())
        ? parentAddress
        : addresses.get(source).replaceFirst("^tcp:", "replica:");
  }

  /** Whether other machines connect to it. */
  private boolean isSource(String host) {
    return target.usesChildren()
        && roles.children().stream().map(this::source).anyMatch(host::equals);
  }

  private String listen(String host) {
    if (!isSource(host)) {
      return "127.0.0.1:0";
    }
    String given = host.equals(roles.parent()) ? config.parentAddress() : "";
    String address = given;
    if (address.isEmpty()) {
      address = check.facts().get(host).address();
    }
    if (address.isEmpty() && config.overRdma()) {
      return "0.0.0.0:0"; // whose host the GID replaces
    }
    if (address.isEmpty()) {
      throw new MachineFailure(
          host,
          host.equals(roles.parent())
              ? "its address for the child machines is unknown: set PARENT_ADDRESS=HOST"
              : "its address for other child machines is unknown: set FANOUT=flat");
    }
    if (address.contains(":") && !given.equals(address)) {
      return "[" + address + "]:0"; // IPv6, in the form that ssh gives
    }
    return address.contains(":") ? address : address + ":0";
  }

  private void measure(Cluster cluster, Point point) throws IOException {
    Measurement measurement =
        new Measurement(target, point, line -> record.log(line.host(), line.text()));
    current = measurement;
    List<String> working =
        switch (target.kind()) {
          case PREPARE, WORK -> List.of(roles.parent());
          case EMPTY, NIL_RPC, LOOPS, BURST -> roles.children();
          default -> roles.runningChildren();
        };
    boolean complete = false;
    Progress progress =
        new Progress(err, terminal, target + " " + point.trace(), working, measurement);
    try {
      parent(cluster, point, measurement);
      if (target.kind() == Target.Kind.PREPARE) {
        cluster
            .link(roles.parent())
            .get(new Task.Prepare(point.times()), String.class, deadline(point));
      } else {
        loops(cluster, point, working, measurement);
      }
      complete = true;
    } finally {
      progress.close();
      current = null;
      done.add(measurement);
      measurement.end();
      byTrace
          .computeIfAbsent(point.trace(), trace -> new ArrayList<>())
          .addAll(measurement.lines());
      record.point(measurement, complete);
    }
    cluster.each(hosts, link -> link.get(new Task.Drop(), String.class, STEP_DEADLINE));
  }

  private void parent(Cluster cluster, Point point, Measurement measurement) {
    AgentLink link = cluster.link(roles.parent());
    if (point.parent() == null || target.kind() == Target.Kind.WORK) {
      return;
    }
    Task.ParentTimes times =
        link.get(new Task.StartParent(point.parent()), Task.ParentTimes.class, STEP_DEADLINE);
    if (!target.ofFunctions()) {
      measurement.line(ArtifactLine.work(roles.parent(), "cold", times.coldNs()));
      measurement.line(ArtifactLine.work(roles.parent(), "warm", times.warmNs()));
    }
    if (target.kind() == Target.Kind.PREPARE) {
      return;
    }
    boolean works = target.kind() == Target.Kind.EXECUTION;
    long cowNs = link.get(new Task.TakeSnapshot(works), Long.class, STEP_DEADLINE);
    if (works) {
      measurement.line(
          target.ofFunctions()
              ? ArtifactLine.function(roles.parent(), point.trace(), "execution", cowNs)
              : ArtifactLine.work(roles.parent(), "cow", cowNs));
    }
  }

  private void loops(Cluster cluster, Point point, List<String> working, Measurement measurement) {
    boolean burst = target.kind() == Target.Kind.BURST;
    AgentLink parent = cluster.link(roles.parent());
    if (burst) {
      parent.get(new Task.CountLink(), String.class, STEP_DEADLINE);
    }
    // A machine that passes pages on has connected to where it gets them before others ask it.
    for (List<String> level : config.fanOut().levels(working)) {
      cluster.each(
          level,
          link ->
              link.get(
                  ready(point, link.host(), share(point, working, link.host())),
                  JsonNode.class,
                  STEP_DEADLINE));
    }
    long startNs = System.nanoTime() + LEAD.toNanos();
    Map<String, CompletableFuture<String>> runs = new LinkedHashMap<>();
    for (String host : working) {
      Clocks clock = check.clocks().get(host);
      runs.put(host, cluster.link(host).ask(new Task.Run(clock.thereNs(startNs)), String.class));
    }
    // Waits for all: if one fails, the samples of the others are kept.
    cluster.each(
        working,
        link -> {
          String mode =
              link.await(runs.get(link.host()), deadline(point), "the run of " + point.trace());
          measurement.chosenMode(link.host(), mode);
          return mode;
        });
    if (burst) {
      measurement.linkBytes(parent.get(new Task.LinkBytes(), Long.class, STEP_DEADLINE));
    }
  }

  /** What does not divide evenly goes to the first machines. */
  private int share(Point point, List<String> working, String host) {
    if (target.kind() != Target.Kind.BURST) {
      return point.times();
    }
    int first = point.times() % working.size();
    return point.times() / working.size() + (working.indexOf(host) < first ? 1 : 0);
  }

  private Task.Ready ready(Point point, String host, int times) {
    boolean here = host.equals(roles.parent());
    return new Task.Ready(
        switch (target.kind()) {
          case EXECUTION -> Task.LoopKind.CHILD;
          case BURST -> Task.LoopKind.SERIES;
          case EMPTY -> Task.LoopKind.EMPTY;
          case WORK -> Task.LoopKind.WORK;
          case NIL_RPC -> Task.LoopKind.NIL_RPC;
          default -> Task.LoopKind.START;
        },
        point.loops(),
        point.seconds(),
        times,
        point.container(),
        here ? -1 : roles.idOf(roles.parent()),
        here ? "" : sourceAddress(host),
        here || config.verify() == Verify.OFF || source(host).equals(roles.parent())
            ? ""
            : parentAddress,
        config.resumeMode(),
        config.prefetch(),
        config.filesMap(),
        config.placement(),
        point.parent());
  }

  private Duration deadline(Point point) {
    return RUN_GRACE.plusSeconds(point.seconds()).plusSeconds(point.times());
  }

  /** The tables of what was measured. */
  String tables() throws IOException {
    StringBuilder text = new StringBuilder(ArtifactLine.table(byTrace, config.filter()));
    Task.Facts facts = check == null ? null : check.facts().get(roles.parent());
    text.append(
        ArtifactTable.of(
            record.folder().histograms(),
            "Self-timed on the machines (CLOCK_MONOTONIC), ms; backend "
                + config.backend()
                + "; kernel "
                + (facts == null ? "unknown" : facts.kernel())
                + "; valNN: published median (results/reference)",
            record.failures()));
    text.append(peaks());
    text.append(bursts());
    text.append(skew());
    return text.toString();
  }

  private String peaks() {
    List<List<String>> rows = new ArrayList<>();
    rows.add(List.of("trace", "peak", "by machine", "stable", "from s", "to s"));
    for (Measurement measurement : done) {
      measurement
          .peak()
          .filter(peak -> target.isPeak())
          .ifPresent(
              peak ->
                  rows.add(
                      List.of(
                          measurement.point().trace(),
                          rate(peak.perSecond()),
                          peak.byHost().entrySet().stream()
                              .map(one -> one.getKey() + " " + rate(one.getValue()))
                              .reduce((a, b) -> a + ", " + b)
                              .orElse(""),
                          peak.stable() ? "yes" : "no",
                          rate(peak.fromS()),
                          rate(peak.toS()))));
    }
    return rows.size() == 1
        ? ""
        : "\n" + target + ", peak (per second, all machines)\n" + TableText.aligned(rows);
  }

  private String bursts() {
    List<List<String>> rows = new ArrayList<>();
    rows.add(
        List.of("trace", "children", "last instruction ms", "last result ms", "per s", "link MiB"));
    for (Measurement measurement : done) {
      long lastNs = measurement.lastNs("untilResult");
      if (target.kind() == Target.Kind.BURST && lastNs > 0) {
        long children = measurement.count("untilResult");
        rows.add(
            List.of(
                measurement.point().trace(),
                Long.toString(children),
                rate(measurement.lastNs("untilInstruction") / NS_PER_MS),
                rate(lastNs / NS_PER_MS),
                rate(children * NS_PER_S / lastNs),
                measurement.linkBytes() < 0
                    ? "unknown"
                    : rate(measurement.linkBytes() / (double) (1 << 20))));
      }
    }
    return rows.size() == 1
        ? ""
        : "\n" + target + ", all machines, from the common start\n" + TableText.aligned(rows);
  }

  private static String rate(double value) {
    return String.format(Locale.ROOT, value < 100 ? "%.2f" : "%.0f", value);
  }

  private String skew() {
    long worst = done.stream().mapToLong(one -> one.startSkewNs().orElse(0L)).max().orElse(0);
    if (worst == 0 || check == null) {
      return "";
    }
    long unsure = check.clocks().values().stream().mapToLong(Clocks::uncertaintyNs).max().orElse(0);
    return String.format(
        Locale.ROOT,
        "%nLoops started at most %.2f ms apart; the machines' clocks are known to %.2f ms.%n",
        worst / NS_PER_MS,
        unsure / NS_PER_MS);
  }
}
