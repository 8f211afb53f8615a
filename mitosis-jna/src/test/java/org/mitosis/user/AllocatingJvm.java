// SPDX-License-Identifier: Apache-2.0
package org.mitosis.user;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.concurrent.TimeUnit;
import org.mitosis.Backend;
import org.mitosis.Device;
import org.mitosis.ForkRole;
import org.mitosis.Mitosis;
import org.mitosis.MitosisException;

/**
 * A JVM in which three threads allocate all the time, and that prepares itself again and again. Of
 * each snapshot it starts one child, which checks itself and that its threads go on to allocate.
 *
 * <p>Arguments: the path of mitosis-child, the handler id, a file, the runtime directory of another
 * machine, how many snapshots, MiB of data that are kept, and the modes, of which each snapshot
 * takes the next: its name, a colon, and the options of mitosis-child. Says for each child its mode
 * and {@code right}, or what it said.
 */
final class AllocatingJvm {
  private static final int THREADS = 3;

  /** Small enough not to be one of G1's large objects, which take a region or two each. */
  private static final int KEPT_BYTES = 1 << 18;

  private static final long DEADLINE_NS = TimeUnit.SECONDS.toNanos(60);

  private AllocatingJvm() {}

  public static void main(String[] arguments) throws Exception {
    // Its other threads would keep it alive.
    Thread.setDefaultUncaughtExceptionHandler(
        (thread, e) -> {
          e.printStackTrace();
          Runtime.getRuntime().halt(1);
        });
    JvmChecks checks = new JvmChecks(Path.of(arguments[2]));
    byte[][] kept = kept(Integer.parseInt(arguments[5]));
    List<Allocator> allocators = new ArrayList<>();
    for (int i = 0; i < THREADS; i++) {
      allocators.add(new Allocator(i));
      allocators.get(i).start();
    }
    List<String> modes = List.of(arguments).subList(6, arguments.length);
    int handlerId = Integer.parseInt(arguments[1]);
    try (Device device = Mitosis.open(Backend.USER)) {
      for (int i = 0; i < Integer.parseInt(arguments[4]); i++) {
        if (device.prepare(handlerId) == ForkRole.CHILD) {
          checkChild(checks, allocators, kept);
        }
        String[] nameAndOptions = modes.get(i % modes.size()).split(":", 2);
        List<String> command = new ArrayList<>(List.of(arguments[0], "--handler-id", arguments[1]));
        command.addAll(List.of(nameAndOptions[1].split(" ")));
        System.out.println(nameAndOptions[0] + " " + ChildOfThisJvm.run(command, arguments[3], 1));
        device.unprepare(handlerId);
      }
    } catch (MitosisException e) {
      System.out.println("prepare " + e.getMessage());
    }
    System.exit(0);
  }

  private static byte[][] kept(int mebibytes) {
    byte[][] kept = new byte[mebibytes * ((1 << 20) / KEPT_BYTES)][KEPT_BYTES];
    for (int i = 0; i < kept.length; i++) {
      new Random(i).nextBytes(kept[i]);
    }
    return kept;
  }

  /** Every page of what is kept, not every byte. */
  private static boolean isKept(byte[][] kept) {
    byte[] expected = new byte[KEPT_BYTES];
    for (int i = 0; i < kept.length; i++) {
      new Random(i).nextBytes(expected);
      for (int at = i % 4096; at < expected.length; at += 4096) {
        if (kept[i][at] != expected[at]) {
          return false;
        }
      }
    }
    return true;
  }

  private static void checkChild(JvmChecks checks, List<Allocator> allocators, byte[][] kept)
      throws InterruptedException {
    Map<String, String> wrong = checks.run();
    for (Allocator each : allocators) {
      if (!each.goesOn()) {
        wrong.put(each.getName(), each.broken ? "another value" : "does not go on");
      }
    }
    if (!isKept(kept)) {
      wrong.put("kept data", "another value");
    }
    System.out.println(wrong.isEmpty() ? "right" : "wrong: " + wrong);
    Runtime.getRuntime().halt(wrong.isEmpty() ? ChildOfThisJvm.RIGHT : 1);
  }

  /** Allocates arrays, keeps some of them for a while, and looks whether they are as they were. */
  private static final class Allocator extends Thread {
    private static final int KEPT = 256;

    private final Random draw;
    private volatile long rounds;
    private volatile boolean broken;

    Allocator(int seed) {
      super("allocator " + seed);
      setDaemon(true);
      draw = new Random(seed);
    }

    @Override
    public void run() {
      byte[][] arrays = new byte[KEPT][];
      while (!broken) {
        int slot = draw.nextInt(KEPT);
        byte[] before = arrays[slot];
        if (before != null) {
          broken = before[0] != (byte) slot || before[before.length - 1] != (byte) before.length;
        }
        byte[] array = new byte[1 + draw.nextInt(60_000)];
        array[0] = (byte) slot;
        array[array.length - 1] = (byte) (array.length == 1 ? slot : array.length);
        arrays[slot] = array.length == 1 ? null : array;
        rounds++;
      }
    }

    boolean goesOn() throws InterruptedException {
      long before = rounds;
      long deadlineNs = System.nanoTime() + DEADLINE_NS;
      while (rounds < before + KEPT && !broken && System.nanoTime() < deadlineNs) {
        Thread.sleep(1);
      }
      return !broken && rounds >= before + KEPT;
    }
  }
}
