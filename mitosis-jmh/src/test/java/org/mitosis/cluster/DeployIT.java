// SPDX-License-Identifier: Apache-2.0
package org.mitosis.cluster;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.io.IOException;
import java.nio.file.Path;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.mitosis.OneJdk;

/**
 * Many machines get everything. The time is printed and not asserted: it is that of eight JVM
 * starts, which the host's load multiplies.
 */
@Timeout(value = 100, unit = TimeUnit.SECONDS)
@OneJdk
class DeployIT {
  @TempDir Path work;

  @Test
  void eightMachinesHaveEverything() throws IOException {
    try (NamespaceCluster cluster = NamespaceCluster.up(work, 7)) {
      long startNs = System.nanoTime();
      NamespaceCluster.Outcome deploy = cluster.run("build-mitosis-prefetch");
      long passedMs = TimeUnit.NANOSECONDS.toMillis(System.nanoTime() - startNs);
      assertEquals(0, deploy.exitCode(), deploy.err());
      assertEquals(8, deploy.out().lines().filter(line -> line.endsWith(" copied")).count());
      System.out.println("deployed to 8 machines in " + passedMs + " ms");
    }
  }
}
