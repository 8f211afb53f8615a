// SPDX-License-Identifier: Apache-2.0
package org.mitosis.cluster;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.net.DatagramSocket;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Deque;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.TreeMap;
import java.util.concurrent.ConcurrentLinkedDeque;
import java.util.function.Consumer;
import java.util.stream.Collectors;
import org.mitosis.Availability;
import org.mitosis.Backend;
import org.mitosis.Mitosis;
import org.mitosis.fixture.ChildLauncher;
import org.mitosis.fixture.ContainerKind;
import org.mitosis.fixture.LinkTraffic;
import org.mitosis.fixture.Machine;
import org.mitosis.fixture.MachineMemory;
import org.mitosis.fixture.PageCounts;
import org.mitosis.fixture.ParentProcess;
import org.mitosis.fixture.Preflight;
import org.mitosis.fixture.Protection;
import org.mitosis.fixture.PythonFunction;
import org.mitosis.fixture.PythonInterpreter;
import org.mitosis.fixture.RdmaDevice;
import org.mitosis.fixture.ResumeMode;
import org.mitosis.fixture.ToolProbe;
import org.mitosis.fixture.UserfaultfdRight;
import org.mitosis.result.BuildInfo;
import org.mitosis.result.Environment;
import org.mitosis.result.MachineFacts;
import org.mitosis.result.MachineProbe;
import org.mitosis.result.RdmaPort;

/**
 * Carries out the tasks of an agent. One thread carries out tasks; another one may close it at any
 * time.
 */
final class AgentTasks implements AutoCloseable {
  /** System property: the folder of the jar, absolute. */
  static final String DIRECTORY_PROPERTY = "mitosis.cluster.dir";

  private static final Path ROOT = Path.of("/");

  private final Consumer<Task.Reply> sink;
  private final MachineProbe probe = new MachineProbe(ROOT);
  private final ObjectMapper json = new ObjectMapper();
  private final Deque<AutoCloseable> parts = new ConcurrentLinkedDeque<>();
  private final Deque<AutoCloseable> lasting = new ConcurrentLinkedDeque<>();
  private final RdmaTasks ofRdma = new RdmaTasks(probe, this::own);
  private Machine machine;
  private ParentProcess parent;
  private LinkTraffic traffic; // null: bytes are not counted
  private List<AgentLoop> loops = List.of();
  private Environment environment;
  private volatile boolean closed;

  AgentTasks(Consumer<Task.Reply> sink) {
    this.sink = sink;
  }

  /**
   * Carries out a task.
   *
   * @return its answer, which becomes JSON
   */
  Object carryOut(Task task) throws IOException {
    if (task instanceof Task.Hello hello) {
      return facts(hello.functions());
    }
    if (task instanceof Task.ReadClock) {
      Instant now = Instant.now();
      return new Task.ClockReading(
          System.nanoTime(), now.getEpochSecond() * 1_000_000_000L + now.getNano());
    }
    if (task instanceof Task.Lock lock) {
      keep(MachineLock.take(MachineLock.directory(), lock.owner(), lock.force()));
      return "";
    }
    if (task instanceof Task.Describe describe) {
      return describe(describe);
    }
    if (task instanceof Task.StartMachine start) {
      return start(start);
    }
    if (task instanceof Task.StartParent start) {
      drop();
      parent = own(describe(start.parent()).start());
      return new Task.ParentTimes(parent.coldTouchNs(), parent.warmTouchNs());
    }
    if (task instanceof Task.Prepare prepare) {
      return prepare(prepare.times());
    }
    if (task instanceof Task.TakeSnapshot snapshot) {
      parent.preparePinnedNs();
      // Closed after the loops of its children, and before the parent.
      own(parent::unprepareNs);
      return snapshot.work() ? parent.cowNs() : 0L;
    }
    if (task instanceof Task.Ready ready) {
      return ready(ready);
    }
    if (task instanceof Task.Run run) {
      AgentLoop.runAll(loops, run.startNs(), this::send);
      return loops.stream()
          .flatMap(loop -> loop.chosenMode().stream())
          .map(ResumeMode::toString)
          .distinct()
          .sorted()
          .collect(Collectors.joining(", "));
    }
    if (task instanceof Task.CountLink) {
      traffic =
          machine != null && LinkTraffic.obstacle().isEmpty() ? own(LinkTraffic.of(machine)) : null;
      return "";
    }
    if (task instanceof Task.LinkBytes) {
      return linkBytes();
    }
    if (task instanceof Task.Drop) {
      drop();
      return "";
    }
    if (task instanceof Task.LoadModule load) {
      return new KernelModule(directory()).load(load);
    }
    if (task instanceof Task.Clean) {
      drop();
      return Cleaning.of(directory()).run();
    }
    if (task instanceof Task.OfRdma rdma) {
      return ofRdma.carryOut(rdma);
    }
    throw new IllegalStateException("this release does not know the task " + task);
  }

  private String start(Task.StartMachine start) {
    String listen = start.listen();
    if (!start.gid().isEmpty()) {
      listen =
          RdmaDevice.hostOf(start.gid(), RdmaPort.of(probe))
              + listen.substring(listen.lastIndexOf(':'));
    }
    machine =
        keep(
            Machine.of(start.id())
                .key(start.key())
                .protection(start.rdma() ? Protection.HANDSHAKE : Protection.SEALED)
                .listen(listen)
                .replicaFill(start.replicaFill())
                .verify(start.verify())
                .start());
    return start.gid().isEmpty() ? machine.address() : machine.rdmaAddress();
  }

  private void send(Task.Samples samples) {
    sink.accept(new Task.Reply(0, null, null, samples));
  }

  /** The folder of the jar. */
  private static Path directory() {
    String directory = System.getProperty(DIRECTORY_PROPERTY, "");
    if (directory.isEmpty()) {
      throw new IllegalStateException(
          "this agent was not started by 'cluster': -D" + DIRECTORY_PROPERTY + " is missing");
    }
    return Path.of(directory);
  }

  private Task.Facts facts(boolean withFunctions) throws IOException {
    MachineFacts self = probe.machine();
    BuildInfo build = BuildInfo.current();
    UserfaultfdRight right = UserfaultfdRight.read();
    Map<String, String> backends = new TreeMap<>();
    for (Availability found : Mitosis.availabilities()) {
      backends.put(
          found.backend().toString(),
          found.available() ? "" : found.cause() + "; " + found.remedy());
    }
    return new Task.Facts(
        Objects.requireNonNullElse(self.host(), ""),
        build.version() + " " + build.commit() + (build.dirty().equals("true") ? " dirty" : ""),
        System.getProperty("java.version"),
        self.kernel().release() + " " + self.kernel().version(),
        System.getProperty("user.name"),
        isRoot(),
        backends,
        right.allowed() ? "" : right.state(),
        MachineMemory.read().availableBytes(),
        Files.getFileStore(directory()).getUsableSpace(),
        address(),
        withFunctions ? functions() : Map.of(),
        MachineLock.owner(MachineLock.directory()),
        self.rdma().stream().flatMap(port -> port.gids().stream()).map(RdmaPort.Gid::gid).toList());
  }

  private boolean isRoot() {
    String status = probe.text("proc/self/status");
    return status != null
        && status.lines().anyMatch(line -> line.matches("Uid:\\s+\\d+\\s+0\\s.*"));
  }

  /** The address of this machine to which ssh connected, or that it has towards Slurm's node. */
  private static String address() {
    String[] connection =
        Objects.requireNonNullElse(System.getenv("SSH_CONNECTION"), "").split(" ");
    if (connection.length == 4) {
      return connection[2];
    }
    String launchNode = System.getenv("SLURM_LAUNCH_NODE_IPADDR");
    if (launchNode == null || launchNode.isEmpty()) {
      return "";
    }
    // Connecting a datagram socket sends nothing: the kernel only chooses the source address.
    try (DatagramSocket socket = new DatagramSocket()) {
      socket.connect(new InetSocketAddress(InetAddress.getByName(launchNode), 9));
      return socket.getLocalAddress().getHostAddress();
    } catch (IOException e) {
      return "";
    }
  }

  private static Map<String, String> functions() {
    Map<String, String> lacking = new LinkedHashMap<>();
    Map<String, List<String>> missing = PythonInterpreter.chosen().missing();
    for (PythonFunction function : PythonFunction.known()) {
      List<String> names = missing.getOrDefault(function.name(), List.of());
      lacking.put(function.name(), names.isEmpty() ? "" : function.lacking(names));
    }
    return lacking;
  }

  private JsonNode describe(Task.Describe describe) throws IOException {
    if (environment == null) {
      environment =
          Environment.started(
              Instant.now(),
              describe.commandLine(),
              List.of(),
              Preflight.backend(),
              probe,
              ToolProbe.read(),
              Environment.NO_CPU_PLAN);
    }
    Environment described =
        describe.outcome().isEmpty()
            ? environment
            : environment
                .with(pagesCame())
                .ended(
                    Preflight.choice(Environment.Outcome.class, "outcome", describe.outcome()),
                    Instant.now(),
                    List.of(),
                    probe);
    return json.readTree(described.toJson());
  }

  /** Which way pages of the parent machine came, if any did. */
  private List<String> pagesCame() {
    PageCounts counts = machine == null ? PageCounts.NONE : machine.pageCounts();
    return counts.byTcp() + counts.byRdma() == 0
        ? List.of()
        : List.of(
            counts.byRdma()
                + " pages by RDMA, "
                + counts.byTcp()
                + " by TCP, "
                + counts.fallbacks()
                + " requests repeated over TCP");
  }

  private ParentProcess.Builder describe(Task.ParentSpec spec) {
    ParentProcess.Builder builder =
        spec.function().isEmpty()
            ? ParentProcess.of(Preflight.memorySize(spec.memorySize(), 2))
            : ParentProcess.of(Preflight.function(spec.function()));
    builder
        .touchRatio(spec.touchRatio())
        .childWork(spec.childWorks() ? ParentProcess.ChildWork.WORK : ParentProcess.ChildWork.EXIT);
    return machine == null
        ? builder.backend(Backend.KERNEL)
        : builder.backend(Backend.USER).machine(machine);
  }

  private String prepare(int times) {
    AgentLoop.Stream stream = new AgentLoop.Stream("parent", System.nanoTime(), 1, this::send);
    for (int i = 0; i < times; i++) {
      parent.touchNs();
      long ns = parent.prepareNs();
      stream.add(System.nanoTime(), Map.of("prepare", ns));
      parent.unprepareNs();
    }
    stream.flush();
    return "";
  }

  private List<String> ready(Task.Ready ready) {
    List<AgentLoop> prepared = new ArrayList<>();
    if (!ready.verifiedBy().isEmpty()) {
      machine.connect(ready.parentMachine(), ready.verifiedBy());
    }
    int count =
        ready.kind() == Task.LoopKind.SERIES
            ? Math.min(ready.loops(), ready.times())
            : ready.loops();
    for (int i = 0; i < count; i++) {
      prepared.add(loop(ready, i));
    }
    for (AgentLoop loop : prepared) {
      loop.awaitReady();
    }
    loops = List.copyOf(prepared);
    return loops.stream().map(AgentLoop::name).toList();
  }

  private AgentLoop loop(Task.Ready ready, int index) {
    return switch (ready.kind()) {
      case START -> AgentLoop.gated(own(launcher(ready).startGatedLoop(ready.seconds())));
      case EMPTY ->
          AgentLoop.gated(
              own(
                  ChildLauncher.ofEmptyContainers()
                      .container(ready.container())
                      .placement(ready.placement())
                      .startGatedLoop(ready.seconds())));
      case SERIES ->
          // What does not divide evenly goes to the first ones.
          AgentLoop.series(
              own(
                  launcher(ready)
                      .startSeries(
                          ready.times() / ready.loops()
                              + (index < ready.times() % ready.loops() ? 1 : 0))));
      case CHILD -> AgentLoop.children(own(launcher(ready).start()), ready.times());
      case NIL_RPC ->
          AgentLoop.requests(
              own(launcher(ready).container(ContainerKind.NONE).start()), ready.seconds());
      case WORK ->
          AgentLoop.work(
              own(
                  describe(ready.parent())
                      .handlerId(ParentProcess.DEFAULT_HANDLER_ID + 1 + index)
                      .start()),
              ready.seconds());
    };
  }

  private ChildLauncher.Builder launcher(Task.Ready ready) {
    ChildLauncher.Builder builder =
        machine == null ? ChildLauncher.onThisHost() : ChildLauncher.on(machine);
    builder
        .container(ready.container())
        .resumeMode(ready.resumeMode())
        .prefetch(ready.prefetch())
        .placement(ready.placement());
    ready.filesMap().forEach((old, other) -> builder.path(Path.of(old), Path.of(other)));
    return ready.parentMachine() < 0
        ? builder
        : builder.parentMachine(ready.parentMachine(), ready.parentAddress());
  }

  private long linkBytes() {
    List<LinkTraffic.Reading> readings = traffic == null ? List.of() : traffic.end();
    traffic = null;
    return readings.isEmpty() ? -1 : readings.get(readings.size() - 1).bytes();
  }

  private void drop() {
    loops = List.of();
    traffic = null;
    parent = null;
    closeAll(parts);
  }

  private <T extends AutoCloseable> T own(T part) {
    parts.push(part);
    return orClosed(part);
  }

  private <T extends AutoCloseable> T keep(T part) {
    lasting.push(part);
    return orClosed(part);
  }

  private <T extends AutoCloseable> T orClosed(T part) {
    if (closed) {
      close();
      throw new IllegalStateException("this agent has ended");
    }
    return part;
  }

  /** Ends everything that was started here. Closing twice is harmless. */
  @Override
  public void close() {
    closed = true;
    closeAll(parts);
    closeAll(lasting);
  }

  /** Closes all, also if one of them cannot be closed. */
  private static void closeAll(Deque<AutoCloseable> all) {
    for (AutoCloseable part = all.poll(); part != null; part = all.poll()) {
      try {
        part.close();
      } catch (Exception e) {
        System.err.println("could not be ended: " + part + ": " + e.getMessage());
      }
    }
  }
}
