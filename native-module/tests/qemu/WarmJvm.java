// SPDX-License-Identifier: Apache-2.0
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.concurrent.atomic.AtomicLong;
import java.util.zip.CRC32;

/** Runs until there is a file of this name, which is on the machine of its children only; then checks itself. */
public final class WarmJvm {
  private static final AtomicLong TICKS = new AtomicLong();

  private static long work() {
    long sum = 0;
    for (int i = 0; i < 200_000; i++) {
      sum = 31 * sum + Integer.toString(i).hashCode();
    }
    return sum;
  }

  private static void tick() {
    try {
      while (true) {
        TICKS.incrementAndGet();
        Thread.sleep(5);
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  private static void check(boolean holds, String what) {
    if (!holds) {
      System.out.println("not so: " + what);
      System.exit(1);
    }
  }

  private static boolean catchesNull(String text) {
    try {
      return text.length() < 0;
    } catch (NullPointerException e) {
      return true;
    }
  }

  public static void main(String[] arguments) throws Exception {
    Path file = Path.of(arguments[0]);
    Thread ticker = new Thread(WarmJvm::tick);
    ticker.setDaemon(true);
    ticker.start();
    long expected = work();
    for (int i = 0; i < 10; i++) {
      check(work() == expected, "the same result");
    }
    System.out.println("warm");
    while (!Files.exists(file)) {
      Thread.sleep(20);
    }
    long before = TICKS.get();
    check(work() == expected, "the parent's result");
    for (int i = 0; i < 500 && TICKS.get() == before; i++) {
      Thread.sleep(10);
    }
    check(TICKS.get() > before, "the other thread goes on");
    byte[][] blocks = new byte[64][];
    for (int i = 0; i < 1000; i++) {
      blocks[i % 64] = new byte[100_000];
    }
    System.gc();
    check(catchesNull(null), "a NullPointerException, by a signal");
    CRC32 sum = new CRC32(); // a class that was not loaded
    sum.update(new byte[] {1, 2, 3});
    check(sum.getValue() == 0x55bc801dL, "what a new class counts");
    Thread made = new Thread(TICKS::incrementAndGet);
    made.start();
    made.join();
    System.out.println("a warm child of process " + ProcessHandle.current().pid());
  }
}
