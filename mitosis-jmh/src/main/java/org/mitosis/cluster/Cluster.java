// SPDX-License-Identifier: Apache-2.0
package org.mitosis.cluster;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.function.BiConsumer;
import java.util.function.Function;

/** Machines with an agent on each. Several machines carry out a task at the same time. */
final class Cluster implements AutoCloseable {
  private final Map<String, AgentLink> links = new LinkedHashMap<>();

  private Cluster() {}

  /** Failures of several machines: one message each. */
  static final class Failures extends RuntimeException {
    private static final long serialVersionUID = 1L;

    private final transient List<String> messages;

    Failures(List<String> messages) {
      super(String.join("\n", messages));
      this.messages = List.copyOf(messages);
    }

    List<String> messages() {
      return messages;
    }
  }

  /**
   * Starts agents.
   *
   * @param samples takes what they stream, with the machine's name
   * @param log takes what machines say beside, with the machine's name
   * @throws Failures if a machine cannot be used; all agents have been ended then
   */
  static Cluster open(
      List<String> hosts,
      RemoteShell shell,
      Bootstrap bootstrap,
      ClusterConfig config,
      BiConsumer<String, Task.Samples> samples,
      BiConsumer<String, String> log) {
    Cluster cluster = new Cluster();
    try {
      onAll(
          hosts,
          host -> {
            AgentLink link =
                AgentLink.open(
                    host,
                    shell,
                    bootstrap,
                    config,
                    sample -> samples.accept(host, sample),
                    line -> log.accept(host, line));
            synchronized (cluster.links) {
              cluster.links.put(host, link);
            }
            return link;
          });
      return cluster;
    } catch (Failures e) {
      cluster.close();
      throw e;
    }
  }

  AgentLink link(String host) {
    return links.get(host);
  }

  /**
   * Calls a function for each machine, concurrently.
   *
   * @return the results by machine, in the order of the machines
   * @throws Failures if a machine fails, after all have ended
   */
  <T> Map<String, T> each(List<String> hosts, Function<AgentLink, T> work) {
    return onAll(hosts, host -> work.apply(link(host)));
  }

  private static <T> Map<String, T> onAll(List<String> hosts, Function<String, T> work) {
    ExecutorService threads =
        Executors.newFixedThreadPool(Math.max(1, hosts.size()), Cluster::daemon);
    try {
      List<Callable<T>> calls = new ArrayList<>();
      hosts.forEach(host -> calls.add(() -> work.apply(host)));
      List<Future<T>> futures = threads.invokeAll(calls);
      Map<String, T> results = new LinkedHashMap<>();
      List<String> failures = new ArrayList<>();
      for (int i = 0; i < hosts.size(); i++) {
        try {
          results.put(hosts.get(i), futures.get(i).get());
        } catch (ExecutionException e) {
          failures.add(
              e.getCause() instanceof MachineFailure known
                  ? known.getMessage()
                  : hosts.get(i) + ": " + e.getCause());
        }
      }
      if (!failures.isEmpty()) {
        throw new Failures(failures);
      }
      return results;
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new Failures(List.of("interrupted"));
    } finally {
      threads.shutdownNow();
    }
  }

  private static Thread daemon(Runnable work) {
    Thread thread = new Thread(work, "mitosis-cluster");
    thread.setDaemon(true);
    return thread;
  }

  /** Ends all agents and everything that they have started. Closing twice is harmless. */
  @Override
  public void close() {
    List<AgentLink> open;
    synchronized (links) {
      open = List.copyOf(links.values());
    }
    List<Thread> closers = open.stream().map(link -> daemon(link::close)).toList();
    closers.forEach(Thread::start);
    for (Thread closer : closers) {
      try {
        closer.join();
      } catch (InterruptedException e) {
        Thread.currentThread().interrupt();
        return;
      }
    }
  }
}
