// SPDX-License-Identifier: Apache-2.0
import org.mitosis.fixture.ChildLauncher;
import org.mitosis.fixture.MemorySize;
import org.mitosis.fixture.ParentProcess;
import org.mitosis.fixture.RemoteFork;
import org.mitosis.fixture.Transport;

/** One prepared parent with 64 MiB, and ten children that touch all of it. */
public final class ForkALot {
  private static final int CHILDREN = 10;

  private ForkALot() {}

  public static void main(String[] args) {
    try (RemoteFork fork =
        RemoteFork.of(MemorySize.ofMebibytes(64))
            .transport(Transport.LOCAL)
            .childWork(ParentProcess.ChildWork.WORK)
            .start()) {
      for (int i = 1; i <= CHILDREN; i++) {
        ChildLauncher.Times times = fork.launcher().launch();
        System.out.println(
            "child " + i + ": resumed after " + times.resumeNs() / 1000 + " us, worked "
                + times.executionNs() / 1000 + " us, ended after " + times.startupNs() / 1000
                + " us");
      }
    }
  }
}
