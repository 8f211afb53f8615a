// SPDX-License-Identifier: Apache-2.0
import org.mitosis.Device;
import org.mitosis.Mitosis;
import org.mitosis.Snapshot;

/**
 * Prepares this process under a key, while it runs on. The snapshot holds the whole JVM: as root,
 * {@code mitosis-child --handler-id 7073} goes on as this program after the call of prepare.
 */
public final class PrepareMyself {
  private static final int HANDLER_ID = 7073;

  private PrepareMyself() {}

  public static void main(String[] args) {
    try (Device device = Mitosis.open()) {
      long startNs = System.nanoTime();
      device.preparePinned(HANDLER_ID);
      System.out.println("prepared in " + (System.nanoTime() - startNs) / 1000 + " us");
      for (Snapshot snapshot : device.list()) {
        System.out.println(snapshot);
      }
      device.unprepare(HANDLER_ID);
      System.out.println("dropped");
    }
  }
}
