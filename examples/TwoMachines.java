// SPDX-License-Identifier: Apache-2.0
import org.mitosis.fixture.ChildLauncher;
import org.mitosis.fixture.MemorySize;
import org.mitosis.fixture.RemoteFork;
import org.mitosis.fixture.Transport;

/**
 * A parent on one machine, and children on two others that fetch its pages over TCP. The machines
 * are this host's: each has a daemon and a machine id of its own.
 */
public final class TwoMachines {
  private TwoMachines() {}

  public static void main(String[] args) {
    try (RemoteFork fork =
        RemoteFork.of(MemorySize.ofMebibytes(16))
            .transport(Transport.TCP)
            .childMachines(2)
            .start()) {
      int machine = 1;
      for (ChildLauncher launcher : fork.launchers()) {
        System.out.println(
            "child on machine " + ++machine + ": first instruction after "
                + launcher.launch().resumeNs() / 1000 + " us");
      }
    }
  }
}
