// SPDX-License-Identifier: Apache-2.0
import java.io.IOException;
import java.time.Duration;
import java.util.Random;
import org.mitosis.Backend;
import org.mitosis.Device;
import org.mitosis.ForkRole;
import org.mitosis.Mitosis;
import org.mitosis.user.Children;

/**
 * A JVM that is warmed up once and goes on in three children. Each child has the table, the
 * compiled code and the threads of its parent, and a random number generator of its own.
 */
public final class ForkAJvm {
  private static final int HANDLER_ID = 7074;
  private static final int CHILDREN = 3;
  private static final int[] TABLE = new int[1 << 16];

  private static Random random = new Random();

  private ForkAJvm() {}

  public static void main(String[] args) throws IOException, InterruptedException {
    for (int i = 0; i < 200; i++) {
      work();
    }
    Mitosis.onChild(child -> random = new Random(child.id().getLeastSignificantBits()));
    try (Device device = Mitosis.open(Backend.USER)) {
      ForkRole role = device.prepareWhenQuiet(HANDLER_ID, Duration.ofSeconds(30));
      if (role == ForkRole.CHILD) {
        long startNs = System.nanoTime();
        long result = work();
        System.out.println(
            "child: "
                + result
                + " after "
                + (System.nanoTime() - startNs) / 1000
                + " us, drew "
                + random.nextInt(1000));
        System.exit(0);
      }
      for (int i = 0; i < CHILDREN; i++) {
        Process child = Children.of(HANDLER_ID).builder().inheritIO().start();
        System.out.println("exit code " + child.waitFor());
      }
    }
  }

  private static long work() {
    long sum = 0;
    for (int i = 0; i < TABLE.length; i++) {
      TABLE[i] += i;
      sum += Integer.toString(TABLE[i]).hashCode();
    }
    return sum;
  }
}
