// SPDX-License-Identifier: Apache-2.0
package org.mitosis.cluster;

import java.io.PrintStream;
import java.time.Duration;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.locks.LockSupport;

/** Prints one line for each machine while a point is measured; on a terminal it updates them. */
final class Progress {
  private static final Duration INTERVAL = Duration.ofSeconds(1);
  private static final int WIDTH = 110;

  private final PrintStream out;
  private final boolean terminal;
  private final List<String> hosts;
  private final Measurement measurement;
  private final String title;
  private final Thread thread = new Thread(this::run, "mitosis-progress");
  private volatile boolean over;
  private boolean shown;

  /**
   * Starts to show.
   *
   * @param terminal whether lines can be overwritten
   */
  Progress(
      PrintStream out,
      boolean terminal,
      String title,
      List<String> hosts,
      Measurement measurement) {
    this.out = out;
    this.terminal = terminal;
    this.title = title;
    this.hosts = hosts;
    this.measurement = measurement;
    thread.setDaemon(true);
    thread.start();
  }

  private void run() {
    long shownNs = System.nanoTime();
    while (!over) {
      LockSupport.parkNanos(INTERVAL.toNanos() / 10);
      if (!over && System.nanoTime() - shownNs > INTERVAL.toNanos()) {
        shownNs = System.nanoTime();
        if (terminal) {
          show();
        }
      }
    }
  }

  private synchronized void show() {
    StringBuilder text = new StringBuilder();
    if (shown) {
      text.append("\033[").append(hosts.size()).append('A');
    }
    for (String host : hosts) {
      String line =
          String.format(
              Locale.ROOT,
              "%s  %-10s %6d  %s",
              title,
              host,
              measurement.samplesOf(host),
              measurement.latestOf(host));
      text.append(terminal ? "\r\033[K" : "")
          .append(line, 0, Math.min(line.length(), WIDTH))
          .append('\n');
    }
    shown = terminal;
    out.print(text);
    out.flush();
  }

  /** Shows the last state, and ends. */
  void close() {
    over = true;
    show();
  }
}
