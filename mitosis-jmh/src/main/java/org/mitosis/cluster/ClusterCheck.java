// SPDX-License-Identifier: Apache-2.0
package org.mitosis.cluster;

import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.stream.Collectors;
import org.mitosis.Backend;
import org.mitosis.fixture.ResumeMode;

/** The state of the machines before a run, and what in it prevents one. */
final class ClusterCheck {
  private static final Duration DEADLINE = Duration.ofSeconds(120);
  private static final double NS_PER_MS = 1e6;

  /** Largest difference of the time of day without a warning; only log times depend on it. */
  private static final double WALL_SKEW_MAX_MS = 1000;

  private static final long DISK_BYTES_MIN = 64L << 20;

  private final ClusterConfig config;
  private final Roles roles;
  private final Map<String, Task.Facts> facts;
  private final Map<String, Clocks> clocks;

  private ClusterCheck(
      ClusterConfig config,
      Roles roles,
      Map<String, Task.Facts> facts,
      Map<String, Clocks> clocks) {
    this.config = config;
    this.roles = roles;
    this.facts = facts;
    this.clocks = clocks;
  }

  /**
   * Checks machines.
   *
   * @param hosts the machines
   * @param functions whether to check what functions need
   */
  static ClusterCheck of(
      Cluster cluster, List<String> hosts, ClusterConfig config, Roles roles, boolean functions) {
    Map<String, Task.Facts> facts =
        cluster.each(
            hosts, link -> link.get(new Task.Hello(functions), Task.Facts.class, DEADLINE));
    // One after the other: concurrent exchanges would delay each other.
    Map<String, Clocks> clocks = new LinkedHashMap<>();
    for (String host : hosts) {
      clocks.put(host, Clocks.compare(cluster.link(host)));
    }
    return new ClusterCheck(config, roles, facts, clocks);
  }

  Map<String, Task.Facts> facts() {
    return facts;
  }

  Map<String, Clocks> clocks() {
    return clocks;
  }

  /**
   * Problems that prevent children from running: one message each.
   *
   * @param resumes whether children are resumed
   * @param needsBackend whether the backend must be available already
   */
  List<String> problems(boolean resumes, boolean needsBackend) {
    List<String> problems = new ArrayList<>();
    facts.forEach(
        (host, fact) -> {
          String lacking =
              fact.backends().getOrDefault(config.backend().toString(), "unknown there");
          if (needsBackend && !lacking.isEmpty()) {
            problems.add(
                host
                    + ": the backend "
                    + config.backend()
                    + " cannot be used: "
                    + lacking
                    + (config.backend() == Backend.KERNEL
                        ? "; 'cluster build-mitosis-prefetch' builds and loads it"
                        : ""));
          }
          if (resumes
              && config.backend() == Backend.USER
              && config.resumeMode() != ResumeMode.CLONE
              && !fact.userfaultfd().isEmpty()) {
            problems.add(
                host + ": children get their pages by userfaultfd, which is " + fact.userfaultfd());
          }
        });
    if (config.overRdma()) {
      problems.addAll(withoutRdma(facts, roles.parent(), config.parentGid()));
    }
    if (resumes) {
      problems.addAll(differentKernels());
      if (config.resumeMode() == ResumeMode.CLONE && !roles.children().isEmpty()) {
        problems.add(
            "RESUME_MODE clone has children on the parent machine only: leave CHILD_HOSTS empty,"
                + " or choose replica");
      }
    }
    return problems;
  }

  /**
   * With PARENT_GID the pages of children come by RDMA, and are never measured over TCP instead.
   */
  static List<String> withoutRdma(Map<String, Task.Facts> facts, String parent, String parentGid) {
    List<String> problems = new ArrayList<>();
    facts.forEach(
        (host, fact) -> {
          if (fact.gids().isEmpty()) {
            problems.add(
                host
                    + ": PARENT_GID is for pages by RDMA, and this machine has no RDMA device: leave"
                    + " PARENT_GID empty for TCP");
          } else if (host.equals(parent)
              && fact.gids().stream().noneMatch(parentGid::equalsIgnoreCase)) {
            problems.add(
                host
                    + ": no RDMA port has PARENT_GID "
                    + parentGid
                    + "; its GIDs are "
                    + String.join(", ", fact.gids()));
          }
        });
    return problems;
  }

  /** A child continues in the parent's memory, which includes the vDSO of its kernel. */
  private List<String> differentKernels() {
    String ofParent = facts.get(roles.parent()).kernel();
    return facts.entrySet().stream()
        .filter(fact -> !fact.getValue().kernel().equals(ofParent))
        .map(
            fact ->
                fact.getKey()
                    + ": runs the kernel "
                    + fact.getValue().kernel()
                    + ", and the parent machine "
                    + ofParent
                    + ": a child needs the kernel of its parent")
        .toList();
  }

  /** Problems that do not prevent a run: one message each. */
  List<String> warnings() {
    List<String> warnings = new ArrayList<>();
    facts.forEach(
        (host, fact) -> {
          double skewMs = clocks.get(host).wallSkewNs() / NS_PER_MS;
          if (Math.abs(skewMs) > WALL_SKEW_MAX_MS) {
            warnings.add(
                String.format(
                    Locale.ROOT,
                    "%s: its time of day is %.0f ms off; figures do not depend on it, logs do",
                    host,
                    skewMs));
          }
          if (!fact.heldBy().isEmpty()) {
            warnings.add(host + ": is in use by " + fact.heldBy());
          }
          if (!fact.root()) {
            warnings.add(
                host
                    + ": the account "
                    + fact.user()
                    + " is not root: containers have no root directory of their own there");
          }
          if (fact.diskBytes() < DISK_BYTES_MIN) {
            warnings.add(
                host
                    + ": "
                    + (fact.diskBytes() >> 20)
                    + " MiB are free in "
                    + config.projectPath()
                    + ", less than "
                    + (DISK_BYTES_MIN >> 20));
          }
          if (fact.address().isEmpty()
              && host.equals(roles.parent())
              && !config.overRdma()
              && config.parentAddress().isEmpty()) {
            warnings.add(host + ": its address is unknown: set PARENT_ADDRESS before a run");
          }
        });
    return warnings;
  }

  /** The facts of all machines, as text. */
  String text() {
    StringBuilder text = new StringBuilder();
    facts.forEach(
        (host, fact) -> {
          Clocks clock = clocks.get(host);
          text.append(host)
              .append(host.equals(roles.parent()) ? " (parent" : " (child")
              .append(", machine ")
              .append(roles.idOf(host))
              .append(")\n");
          line(text, "release", fact.version());
          line(text, "java", fact.java());
          line(text, "kernel", fact.kernel());
          line(text, "account", fact.user() + (fact.root() ? ", root" : ", not root"));
          line(
              text,
              "clock",
              String.format(
                  Locale.ROOT,
                  "time of day %+.1f ms, CLOCK_MONOTONIC known to %.2f ms",
                  clock.wallSkewNs() / NS_PER_MS,
                  clock.uncertaintyNs() / NS_PER_MS));
          fact.backends()
              .forEach(
                  (name, lacking) ->
                      line(text, name, lacking.isEmpty() ? "ready" : "not usable: " + lacking));
          line(
              text,
              "uffd",
              fact.userfaultfd().isEmpty() ? "allowed" : "userfaultfd is " + fact.userfaultfd());
          line(text, "memory", (fact.memoryBytes() >> 20) + " MiB available");
          line(text, "disk", (fact.diskBytes() >> 20) + " MiB free in " + config.projectPath());
          line(text, "rdma", fact.gids().isEmpty() ? "no device" : String.join(", ", fact.gids()));
          line(text, "address", fact.address().isEmpty() ? "unknown" : fact.address());
          String lacking =
              fact.functions().entrySet().stream()
                  .filter(function -> !function.getValue().isEmpty())
                  .map(Map.Entry::getKey)
                  .collect(Collectors.joining(", "));
          if (!fact.functions().isEmpty()) {
            line(
                text,
                "functions",
                lacking.isEmpty() ? "all" : "all but " + lacking + " ('functions' says why)");
          }
        });
    return text.toString();
  }

  private static void line(StringBuilder text, String name, String value) {
    text.append(String.format(Locale.ROOT, "  %-9s %s%n", name, value));
  }
}
