// SPDX-License-Identifier: Apache-2.0
package org.mitosis.user;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import org.mitosis.Backend;
import org.mitosis.Device;
import org.mitosis.Mitosis;
import org.mitosis.MitosisException;

/**
 * A JVM that prepares itself with all its threads, starts children of itself with {@code
 * mitosis-child}, and prints for each mode how it ended. A child goes on here: it checks itself and
 * exits with 42. Arguments: the path of mitosis-child, the handler id, the modes.
 */
final class ForkedJvm {
  private static final int CHILD_RIGHT = 42;
  private static final int ENTRIES = 50_000;
  private static final Map<Integer, String> TABLE = new ConcurrentHashMap<>();
  private static volatile long ticks;

  private ForkedJvm() {}

  public static void main(String[] arguments) throws Exception {
    for (int i = 0; i < ENTRIES; i++) {
      TABLE.put(i, "entry " + i);
    }
    ExecutorService pool = Executors.newFixedThreadPool(4);
    Thread ticker = new Thread(ForkedJvm::tick, "ticker");
    ticker.setDaemon(true);
    ticker.start();
    long sum = pool.submit(ForkedJvm::sum).get();
    long pid = ProcessHandle.current().pid();

    try (Device device = Mitosis.open(Backend.USER)) {
      device.prepare(Integer.parseInt(arguments[1]));
      if (isChild(device)) {
        check(pool, sum, pid);
        System.exit(CHILD_RIGHT);
      }
      TABLE.clear();
      for (String mode : List.of(arguments).subList(2, arguments.length)) {
        System.out.println(mode + " " + runChild(arguments[0], arguments[1], mode));
      }
    }
    pool.shutdown();
  }

  /** The device of a child is closed. */
  private static boolean isChild(Device device) {
    try {
      device.nil();
      return false;
    } catch (MitosisException e) {
      return true;
    }
  }

  private static void tick() {
    while (true) {
      try {
        Thread.sleep(1);
      } catch (InterruptedException e) {
        return;
      }
      ticks++;
    }
  }

  private static long sum() {
    long sum = 0;
    for (int i = 0; i < ENTRIES; i++) {
      sum += TABLE.get(i).hashCode();
    }
    return sum;
  }

  private static void check(ExecutorService pool, long sum, long pid) throws Exception {
    long before = ticks;
    require(ProcessHandle.current().pid() == pid, "the pid has changed");
    List<Future<Long>> sums = new ArrayList<>();
    for (int i = 0; i < 8; i++) {
      sums.add(pool.submit(ForkedJvm::sum));
    }
    for (Future<Long> each : sums) {
      require(each.get(60, TimeUnit.SECONDS) == sum, "a sum is not the parent's");
    }
    System.gc();
    require(sum() == sum, "a sum after the collection is not the parent's");
    Thread thread = new Thread(() -> ticks += 1_000_000);
    thread.start();
    thread.join(60_000);
    for (int i = 0; ticks < before + 1_000_002 && i < 60_000; i++) {
      Thread.sleep(1);
    }
    require(ticks >= before + 1_000_002, "the ticker stands still");
    // A class that has not been loaded before comes from a file that was open in the parent.
    require(new java.util.zip.CRC32C().getValue() == 0, "a new class is wrong");
  }

  private static void require(boolean condition, String problem) {
    if (!condition) {
      System.out.println(problem);
      System.exit(1);
    }
  }

  private static String runChild(String program, String handlerId, String mode) throws Exception {
    Process child =
        new ProcessBuilder(program, "--handler-id", handlerId, "--mode", mode)
            .redirectErrorStream(true)
            .start();
    child.getOutputStream().close();
    String said = new String(child.getInputStream().readAllBytes()).strip();
    return child.waitFor() == CHILD_RIGHT
        ? "right"
        : "exit code " + child.exitValue() + ": " + said;
  }
}
