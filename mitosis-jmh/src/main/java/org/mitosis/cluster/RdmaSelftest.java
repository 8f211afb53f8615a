// SPDX-License-Identifier: Apache-2.0
package org.mitosis.cluster;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.SerializationFeature;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.SecureRandom;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.locks.LockSupport;
import org.mitosis.Backend;
import org.mitosis.MitosisException;
import org.mitosis.fixture.Machine;
import org.mitosis.fixture.ResumeMode;
import org.mitosis.result.BuildInfo;
import org.mitosis.result.MachineProbe;
import org.mitosis.result.PackedRun;
import org.mitosis.result.ResultFolder;
import org.mitosis.setting.ExitCode;
import org.mitosis.setting.MissingPrerequisite;

/**
 * The command {@code rdma-selftest}: whether pages come by RDMA between two machines, whether they
 * are right, what happens when something fails, and how long they take.
 */
public final class RdmaSelftest {
  private static final Duration DEADLINE = Duration.ofSeconds(180);
  private static final int PARENT_ID = 1;
  private static final int CHILD_ID = 2;
  private static final String FILE = "rdma-selftest.txt";

  private static final int[] FLOOR_BYTES = {4 << 10, 64 << 10, 256 << 10};
  private static final double NS_PER_US = 1e3;

  /** At 100 Gb/s, for the first access to 64 pages; a card shows it, and no emulation. */
  private static final Map<Backend, Long> GOAL_US = Map.of(Backend.USER, 100L, Backend.KERNEL, 35L);

  private static final ObjectMapper JSON =
      new ObjectMapper().enable(SerializationFeature.INDENT_OUTPUT);

  private final PrintStream out;
  private final PrintStream err;
  private final StringBuilder text = new StringBuilder();
  private final List<String> failures = new ArrayList<>();
  private volatile boolean interrupted;
  private volatile ResultFolder unfinished; // null: there is none

  /** A command that prints to these streams. */
  public RdmaSelftest(PrintStream out, PrintStream err) {
    this.out = out;
    this.err = err;
  }

  /**
   * What the user asks for.
   *
   * @param hosts the parent's machine and the child's; none for this one as both
   * @param values as {@code cluster} has them, by key
   * @param commandLine the arguments, for the record
   */
  public record Request(List<String> hosts, Map<String, String> values, List<String> commandLine) {}

  /** A machine that carries out tasks. */
  interface Side {
    <T> T get(Task task, Class<T> type);
  }

  /** Runs everything; done if all was right. */
  public ExitCode run(Request request) throws IOException {
    Map<String, Setting> settings = new LinkedHashMap<>();
    if (!request.hosts().isEmpty()) {
      settings.put("PARENT_HOST", new Setting(request.hosts().get(0), "command line"));
      settings.put("CHILD_HOSTS", new Setting(request.hosts().get(1), "command line"));
    }
    request.values().forEach((key, value) -> settings.put(key, new Setting(value, "command line")));
    ClusterConfig config = ClusterConfig.withoutAddress(settings);
    AutoCloseable[] open = {() -> {}};
    Thread hook =
        new Thread(
            () -> {
              interrupted = true;
              close(open[0]);
              // A connection that is not established yet has no agent to close.
              ProcessHandle.current().descendants().forEach(ProcessHandle::destroyForcibly);
              if (unfinished != null) {
                unfinished.discard();
              }
            },
            "mitosis-selftest-interruption");
    Runtime.getRuntime().addShutdownHook(hook);
    try {
      return request.hosts().isEmpty() ? here(config, request, open) : there(config, request, open);
    } catch (Cluster.Failures | MachineFailure | IllegalStateException e) {
      parkIfInterrupted();
      err.println("mitosis: " + e.getMessage());
      return ExitCode.NOT_HERE;
    } finally {
      close(open[0]);
      parkIfInterrupted();
      if (unfinished != null) {
        unfinished.discard();
      }
      Runtime.getRuntime().removeShutdownHook(hook);
    }
  }

  private ExitCode here(ClusterConfig config, Request request, AutoCloseable[] open)
      throws IOException {
    AgentTasks parent = new AgentTasks(reply -> {});
    AgentTasks child = new AgentTasks(reply -> {});
    open[0] =
        () -> {
          child.close();
          parent.close();
        };
    return measure(config, request, local(parent), local(child));
  }

  private static Side local(AgentTasks tasks) {
    return new Side() {
      @Override
      public <T> T get(Task task, Class<T> type) {
        try {
          return type.cast(tasks.carryOut(task));
        } catch (IOException e) {
          throw new IllegalStateException(e.getMessage(), e);
        }
      }
    };
  }

  private ExitCode there(ClusterConfig config, Request request, AutoCloseable[] open)
      throws IOException {
    Roles roles = Roles.of(config);
    Cluster cluster =
        Cluster.open(
            roles.all(),
            Ssh.of(config),
            Bootstrap.ofThisJar(),
            config,
            (host, samples) -> {},
            (host, line) -> err.println(host + ": " + line));
    open[0] = cluster;
    return measure(
        config,
        request,
        remote(cluster.link(roles.parent())),
        remote(cluster.link(roles.children().get(0))));
  }

  private static Side remote(AgentLink link) {
    return new Side() {
      @Override
      public <T> T get(Task task, Class<T> type) {
        return link.get(task, type, DEADLINE);
      }
    };
  }

  private ExitCode measure(ClusterConfig config, Request request, Side parent, Side child)
      throws IOException {
    String exact = System.getProperty(ResultFolder.PROPERTY, "");
    return measure(
        config,
        request,
        parent,
        child,
        exact.isEmpty() ? null : Path.of(exact).toAbsolutePath().normalize());
  }

  /**
   * Runs everything.
   *
   * @param exact the folder of the result; null for one below results/
   */
  ExitCode measure(ClusterConfig config, Request request, Side parent, Side child, Path exact)
      throws IOException {
    byte[] key = new byte[Machine.KEY_BYTES];
    new SecureRandom().nextBytes(key);
    Backend backend = config.backend();
    Task.RdmaPlace at =
        parent.get(
            new Task.RdmaMachine(PARENT_ID, key, config.parentGid(), backend),
            Task.RdmaPlace.class);
    Task.RdmaPlace from =
        child.get(new Task.RdmaMachine(CHILD_ID, key, "", backend), Task.RdmaPlace.class);
    Instant started = Instant.now();
    ResultFolder folder = folder(started, exact);
    unfinished = folder;
    line("mitosis " + BuildInfo.current().version() + ", commit " + BuildInfo.current().commit());
    line("started " + started + ", backend " + backend);
    line("parent " + at.address() + ": " + at.device());
    line("child from " + from.host() + ": " + from.device());
    if (request.hosts().isEmpty()) {
      line("both are this machine: pages cross no cable");
    }
    parent.get(new Task.RdmaParent(), String.class);
    correctness(child, at);
    failures(parent, child, at, backend);
    speed(parent, child, at, backend);
    line(failures.isEmpty() ? "all is right" : failures.size() + " tests failed: " + failures);
    Files.createDirectory(folder.path().resolve(ResultFolder.MACHINES));
    describe(folder, "parent", parent, request);
    describe(folder, "child", child, request);
    folder.replace(folder.path().resolve(FILE), text.toString());
    unfinished = null;
    Path packed = PackedRun.fileFor(folder.path());
    PackedRun.write(folder.path(), packed);
    out.println("\nresult, to send in as it is: " + packed);
    return failures.isEmpty() ? ExitCode.DONE : ExitCode.FAILED;
  }

  private void correctness(Side child, Task.RdmaPlace at) {
    test("lazy, 1 page for each fault", () -> allByRdma(checked(child, at, ResumeMode.LAZY, 1)));
    test("lazy, 64 pages", () -> allByRdma(checked(child, at, ResumeMode.LAZY, 64)));
    test("eager", () -> allByRdma(checked(child, at, ResumeMode.EAGER, 64)));
    test("cached", () -> allByRdma(checked(child, at, ResumeMode.CACHED, 64)));
  }

  private void failures(Side parent, Side child, Task.RdmaPlace at, Backend backend) {
    if (backend == Backend.KERNEL) {
      line("failures are tested on the user backend; for the module see docs/rdma.md");
      return;
    }
    test(
        "a machine with another key is refused",
        () -> {
          String said = child.get(new Task.RdmaStranger(at.id(), at.address()), String.class);
          require(said.contains("refuses our key"), said);
          return "it is told so";
        });
    test(
        "porter killed between two pages",
        () -> repeatedOverTcp(failing(parent, child, at, "kill-porter")));
    test("RDMA is set up again", () -> byRdmaAgain(checked(child, at, ResumeMode.LAZY, 64)));
    test(
        "porter stopped between two pages",
        () -> repeatedOverTcp(failing(parent, child, at, "stop-porter")));
    test(
        "RDMA is set up again when the stopped porter is killed",
        () -> {
          order(parent, "kill-porter");
          return byRdmaAgain(checked(child, at, ResumeMode.LAZY, 64));
        });
  }

  /** The last test is of the snapshot's end. */
  private void speed(Side parent, Side child, Task.RdmaPlace at, Backend backend) {
    test(
        "floor of the device",
        () -> {
          int port = parent.get(new Task.RdmaFloorServer(), Integer.class);
          for (boolean read : new boolean[] {false, true}) {
            for (int bytes : FLOOR_BYTES) {
              long ns = child.get(new Task.RdmaFloorTime(at.host(), port, read, bytes), Long.class);
              line(
                  String.format(
                      Locale.ROOT,
                      "     %-9s %3d KiB  %10.1f us",
                      read ? "rdmaRead" : "rdmaSend",
                      bytes >> 10,
                      ns / NS_PER_US));
            }
          }
          return "medians, every byte checked";
        });
    test(
        "first access to 64 pages, by RDMA",
        () -> {
          Task.RdmaChecked checked = checked(child, at, ResumeMode.LAZY, 64);
          allByRdma(checked);
          return us(checked)
              + "; the goal at 100 Gb/s is "
              + GOAL_US.getOrDefault(backend, 0L)
              + " us, and soft-RoCE says nothing about it";
        });
    Task.RdmaPlace overTcp =
        new Task.RdmaPlace(
            at.id(), at.address().replaceFirst("^rdma", "tcp"), at.host(), at.device());
    test(
        "first access to 64 pages, over TCP",
        () -> us(right(checked(child, overTcp, ResumeMode.LAZY, 64))));
    if (backend == Backend.USER) {
      test(
          "shadow killed: the child ends by a signal",
          () -> {
            Task.RdmaChecked checked = failing(parent, child, at, "kill-shadow");
            require(checked.end().contains("ended by signal"), "its end: " + checked.end());
            return "and does not hang";
          });
    }
  }

  private static String us(Task.RdmaChecked checked) {
    return String.format(Locale.ROOT, "median %.1f us", checked.medianNs() / NS_PER_US);
  }

  private static Task.RdmaChecked checked(
      Side child, Task.RdmaPlace at, ResumeMode mode, int prefetch) {
    child.get(new Task.RdmaChild(at.id(), at.address(), mode, prefetch), String.class);
    return child.get(new Task.RdmaGo(), Task.RdmaChecked.class);
  }

  private static Task.RdmaChecked failing(
      Side parent, Side child, Task.RdmaPlace at, String order) {
    child.get(new Task.RdmaChild(at.id(), at.address(), ResumeMode.LAZY, 16), String.class);
    order(parent, order);
    return child.get(new Task.RdmaGo(), Task.RdmaChecked.class);
  }

  private static void order(Side parent, String order) {
    parent.get(new Task.RdmaOrder(order), String.class);
  }

  private static Task.RdmaChecked right(Task.RdmaChecked checked) {
    require(checked.end().isEmpty(), checked.end());
    require(checked.wrong() == 0, checked.wrong() + " words of memory are wrong");
    return checked;
  }

  /** Fewer than all: a pager keeps some of what an earlier child had. */
  private static String allByRdma(Task.RdmaChecked checked) {
    right(checked);
    require(
        checked.byRdma() > 0 && checked.byTcp() == 0 && checked.fallbacks() == 0,
        "not all pages came by RDMA: " + counts(checked));
    return counts(checked);
  }

  /** On a slow machine the first pages come over TCP, while it is set up. */
  private static String byRdmaAgain(Task.RdmaChecked checked) {
    right(checked);
    require(
        checked.byRdma() > 0 && checked.fallbacks() == 0,
        "no page came by RDMA: " + counts(checked));
    return counts(checked);
  }

  private static String repeatedOverTcp(Task.RdmaChecked checked) {
    right(checked);
    require(
        checked.byRdma() > 0 && checked.byTcp() > 0 && checked.fallbacks() > 0,
        "pages did not come both ways: " + counts(checked));
    return counts(checked);
  }

  private static String counts(Task.RdmaChecked checked) {
    return checked.byRdma()
        + " pages by RDMA, "
        + checked.byTcp()
        + " over TCP, "
        + checked.fallbacks()
        + " requests repeated";
  }

  private static void require(boolean holds, String otherwise) {
    if (!holds) {
      throw new IllegalStateException(otherwise);
    }
  }

  /** What a test finds. */
  private interface Test {
    String run();
  }

  private void test(String name, Test test) {
    try {
      line("PASS " + name + ": " + test.run());
    } catch (IllegalStateException
        | IllegalArgumentException
        | MissingPrerequisite
        | MitosisException
        | MachineFailure e) {
      parkIfInterrupted();
      failures.add(name);
      line("FAIL " + name + ": " + e.getMessage());
    }
  }

  private void line(String line) {
    text.append(line).append('\n');
    out.println(line);
    out.flush();
  }

  private static void describe(ResultFolder folder, String name, Side side, Request request)
      throws IOException {
    JsonNode environment = side.get(new Task.Describe(request.commandLine(), ""), JsonNode.class);
    Files.writeString(
        folder.path().resolve(ResultFolder.MACHINES).resolve(name + ".json"),
        JSON.writeValueAsString(environment) + "\n");
  }

  private static ResultFolder folder(Instant started, Path exact) throws IOException {
    if (exact != null) {
      return ResultFolder.createExactly(exact);
    }
    String host = new MachineProbe(Path.of("/")).machine().host();
    return ResultFolder.create(
        Path.of("results").toAbsolutePath(),
        started,
        host == null ? "unknown" : host,
        System.getProperty(ResultFolder.NAME_PROPERTY, "rdma-selftest"));
  }

  private static void close(AutoCloseable part) {
    try {
      part.close();
    } catch (Exception e) {
      throw new IllegalStateException("none of these declares one", e);
    }
  }

  /** Parks this thread until the JVM exits. */
  private void parkIfInterrupted() {
    while (interrupted) {
      LockSupport.park();
    }
  }
}
