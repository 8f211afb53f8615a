// SPDX-License-Identifier: Apache-2.0
package org.mitosis.kernel;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.mitosis.Availability;
import org.mitosis.Device;
import org.mitosis.Errno;
import org.mitosis.MitosisException;
import org.mitosis.Operation;

/** The availability of the kernel backend without a module, or with another file in its place. */
class KernelBackendTest {
  @TempDir private Path folder;

  @AfterEach
  void theRealDeviceAgain() {
    System.clearProperty(KernelBackend.DEVICE_PROPERTY);
  }

  @Test
  void missingDeviceIsNamedWithWhatToDo() {
    Path missing = folder.resolve("no-device");
    System.setProperty(KernelBackend.DEVICE_PROPERTY, missing.toString());
    KernelBackend backend = new KernelBackend();
    Availability availability = backend.availability();
    assertFalse(availability.available());
    assertEquals(missing + " is not there: the kernel module is not loaded", availability.cause());
    assertEquals("load the mitosis kernel module, or use the user backend", availability.remedy());

    MitosisException e = assertThrows(MitosisException.class, backend::open);
    assertEquals(Operation.OPEN, e.operation());
    assertEquals(Errno.ENODEV, e.errno());
  }

  @Test
  void fileThatIsNoDeviceAnswersEnotty() throws Exception {
    Path file = Files.createFile(folder.resolve("file"));
    System.setProperty(KernelBackend.DEVICE_PROPERTY, file.toString());
    KernelBackend backend = new KernelBackend();
    Availability availability = backend.availability();
    assertFalse(availability.available());
    assertEquals(file + " is there but answers Nil with ENOTTY", availability.cause());

    try (Device device = backend.open()) {
      MitosisException e = assertThrows(MitosisException.class, () -> device.prepare(73));
      assertEquals(
          "prepare of handler id 73 failed: not a device of the mitosis module (ENOTTY);"
              + " the file is not the device of the mitosis module: check where it leads",
          e.getMessage());
    }
  }

  @Test
  void folderInPlaceOfTheDeviceCannotBeOpened() {
    System.setProperty(KernelBackend.DEVICE_PROPERTY, folder.toString());
    MitosisException e = assertThrows(MitosisException.class, () -> new KernelBackend().open());
    assertTrue(e.getMessage().contains(folder + " cannot be opened"), e.getMessage());
  }

  @Test
  void addressLongerThanTheModuleReadsIsRefused() throws Exception {
    Path file = Files.createFile(folder.resolve("file"));
    System.setProperty(KernelBackend.DEVICE_PROPERTY, file.toString());
    try (Device device = new KernelBackend().open()) {
      IllegalArgumentException e =
          assertThrows(
              IllegalArgumentException.class,
              () -> device.connect(1, "tcp://" + "h".repeat(300) + ":7000"));
      assertTrue(e.getMessage().contains("311 characters"), e.getMessage());
    }
  }
}
