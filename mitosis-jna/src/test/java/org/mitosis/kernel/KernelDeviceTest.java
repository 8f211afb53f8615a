// SPDX-License-Identifier: Apache-2.0
package org.mitosis.kernel;

import static org.junit.jupiter.api.Assumptions.assumeTrue;

import org.mitosis.Availability;
import org.mitosis.Backend;
import org.mitosis.Device;
import org.mitosis.DeviceContractTest;
import org.mitosis.Mitosis;

/** The contract on the kernel backend, where its module is loaded. */
class KernelDeviceTest extends DeviceContractTest {
  private static final Availability AVAILABILITY = new KernelBackend().availability();

  @Override
  protected Device open() {
    assumeTrue(
        AVAILABILITY.available(), () -> "needs the mitosis kernel module: " + AVAILABILITY.cause());
    return Mitosis.open(Backend.KERNEL);
  }

  @Override
  protected Backend backend() {
    return Backend.KERNEL;
  }
}
