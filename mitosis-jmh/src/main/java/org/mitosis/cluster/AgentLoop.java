// SPDX-License-Identifier: Apache-2.0
package org.mitosis.cluster;

import java.security.SecureRandom;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import java.util.function.Consumer;
import org.mitosis.fixture.ChildLauncher;
import org.mitosis.fixture.LaunchLoop;
import org.mitosis.fixture.LaunchSeries;
import org.mitosis.fixture.ParentProcess;
import org.mitosis.fixture.ResumeMode;

/** One of the concurrent loops of an agent. Its name has the form of the artifact's names. */
abstract class AgentLoop {
  private static final String LETTERS =
      "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ";
  private static final int NAME_LENGTH = 11;
  private static final SecureRandom RANDOM = new SecureRandom();

  /** Requests in one command, so that the command itself takes a small part of their time. */
  private static final int REQUESTS = 100;

  private final String name;

  private AgentLoop() {
    StringBuilder text = new StringBuilder();
    for (int i = 0; i < NAME_LENGTH; i++) {
      text.append(LETTERS.charAt(RANDOM.nextInt(LETTERS.length())));
    }
    this.name = text.toString();
  }

  String name() {
    return name;
  }

  /** Waits until it can be started. */
  abstract void awaitReady();

  /** How its children were resumed in mode auto, once it has run; empty without that mode. */
  Optional<ResumeMode> chosenMode() {
    return Optional.empty();
  }

  /** Starts at a time of System.nanoTime(), and returns when it has ended. */
  abstract void run(long startNs, Consumer<Task.Samples> sink);

  /** Runs all at the same time; throws the first failure after all have ended. */
  static void runAll(List<AgentLoop> loops, long startNs, Consumer<Task.Samples> sink) {
    ExecutorService threads = Executors.newFixedThreadPool(Math.max(1, loops.size()));
    try {
      List<Future<?>> runs = new ArrayList<>();
      for (AgentLoop loop : loops) {
        runs.add(threads.submit(() -> loop.run(startNs, sink)));
      }
      IllegalStateException failure = null;
      for (Future<?> run : runs) {
        try {
          run.get();
        } catch (ExecutionException e) {
          if (failure == null) {
            failure = new IllegalStateException(e.getCause().getMessage(), e.getCause());
          }
        }
      }
      if (failure != null) {
        throw failure;
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new IllegalStateException("interrupted");
    } finally {
      threads.shutdownNow();
    }
  }

  /** A launcher that starts containers for a given time. */
  static AgentLoop gated(LaunchLoop loop) {
    return new AgentLoop() {
      @Override
      void awaitReady() {
        loop.awaitReady();
      }

      @Override
      void run(long startNs, Consumer<Task.Samples> sink) {
        loop.openGate(startNs);
        Stream[] stream = {null};
        loop.await(
            child -> {
              if (stream[0] == null) {
                stream[0] = new Stream(name(), child.intendedNs(), 1, sink);
              }
              stream[0].add(child.endNs(), Map.of("startup", child.latencyNs()));
            });
        if (stream[0] != null) {
          stream[0].flush();
        }
      }

      @Override
      Optional<ResumeMode> chosenMode() {
        return loop.chosenMode();
      }
    };
  }

  /** A launcher of so many children; times are from the start of all loops. */
  static AgentLoop series(LaunchSeries series) {
    return new AgentLoop() {
      @Override
      void awaitReady() {
        series.awaitReady();
      }

      @Override
      void run(long startNs, Consumer<Task.Samples> sink) {
        series.openGate(startNs);
        Stream stream = new Stream(name(), startNs, 1, sink);
        for (LaunchSeries.Child child : series.await()) {
          stream.add(
              child.endNs(),
              Map.of(
                  "untilInstruction", child.instructionNs() - startNs,
                  "untilResult", child.firstResultNs() - startNs));
        }
        stream.flush();
      }

      @Override
      Optional<ResumeMode> chosenMode() {
        return series.chosenMode();
      }
    };
  }

  /** Children, one after the other. */
  static AgentLoop children(ChildLauncher launcher, int times) {
    return new AgentLoop() {
      @Override
      void awaitReady() {
        launcher.launch();
      }

      @Override
      void run(long startNs, Consumer<Task.Samples> sink) {
        Stream stream = new Stream(name(), waitUntil(startNs), 1, sink);
        for (int i = 0; i < times; i++) {
          ChildLauncher.Times child = launcher.launch();
          stream.add(
              System.nanoTime(),
              Map.of(
                  "execution", child.executionNs(),
                  "resume", child.resumeNs(),
                  "startup", child.startupNs()));
        }
        stream.flush();
      }

      @Override
      Optional<ResumeMode> chosenMode() {
        return launcher.chosenMode();
      }
    };
  }

  /** Empty requests for some seconds. */
  static AgentLoop requests(ChildLauncher launcher, int seconds) {
    return new AgentLoop() {
      @Override
      void awaitReady() {
        launcher.nilRpcNs(1);
      }

      @Override
      void run(long startNs, Consumer<Task.Samples> sink) {
        long beganNs = waitUntil(startNs);
        Stream stream = new Stream(name(), beganNs, REQUESTS, sink);
        while (System.nanoTime() - beganNs < TimeUnit.SECONDS.toNanos(seconds)) {
          long ns = launcher.nilRpcNs(REQUESTS);
          stream.add(System.nanoTime(), Map.of("nilRpc", ns / REQUESTS));
        }
        stream.flush();
      }
    };
  }

  /** The work of a parent for some seconds. */
  static AgentLoop work(ParentProcess parent, int seconds) {
    return new AgentLoop() {
      @Override
      void awaitReady() {
        parent.touchNs();
      }

      @Override
      void run(long startNs, Consumer<Task.Samples> sink) {
        long beganNs = waitUntil(startNs);
        Stream stream = new Stream(name(), beganNs, 1, sink);
        while (System.nanoTime() - beganNs < TimeUnit.SECONDS.toNanos(seconds)) {
          long ns = parent.touchNs();
          stream.add(System.nanoTime(), Map.of("work", ns));
        }
        stream.flush();
      }
    };
  }

  private static long waitUntil(long startNs) {
    long now = System.nanoTime();
    while (now < startNs) {
      LockSupport.parkNanos(startNs - now);
      now = System.nanoTime();
    }
    return now;
  }

  /** Collects samples, and sends them to the coordinator in batches. */
  static final class Stream {
    private static final long FLUSH_NS = TimeUnit.MILLISECONDS.toNanos(200);

    private final String loop;
    private final long startNs;
    private final int each;
    private final Consumer<Task.Samples> sink;
    private List<Long> ends = new ArrayList<>();
    private Map<String, List<Long>> times = new TreeMap<>();
    private long flushedNs = System.nanoTime();

    Stream(String loop, long startNs, int each, Consumer<Task.Samples> sink) {
      this.loop = loop;
      this.startNs = startNs;
      this.each = each;
      this.sink = sink;
    }

    void add(long endNs, Map<String, Long> ns) {
      ends.add(endNs);
      ns.forEach((metric, time) -> times.computeIfAbsent(metric, m -> new ArrayList<>()).add(time));
      if (System.nanoTime() - flushedNs > FLUSH_NS) {
        flush();
      }
    }

    void flush() {
      if (!ends.isEmpty()) {
        sink.accept(new Task.Samples(loop, startNs, each, ends, times));
      }
      ends = new ArrayList<>();
      times = new TreeMap<>();
      flushedNs = System.nanoTime();
    }
  }
}
