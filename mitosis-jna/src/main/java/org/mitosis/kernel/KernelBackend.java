// SPDX-License-Identifier: Apache-2.0
package org.mitosis.kernel;

import java.io.File;
import java.nio.charset.StandardCharsets;
import org.mitosis.Availability;
import org.mitosis.Backend;
import org.mitosis.BackendProvider;
import org.mitosis.Device;
import org.mitosis.Errno;
import org.mitosis.MitosisException;
import org.mitosis.Operation;
import org.mitosis.posix.LibMitosis;
import org.mitosis.posix.ResumedChild;
import org.mitosis.posix.Uapi;
import org.mitosis.spi.Failure;

/** Remote fork by the kernel module. */
public final class KernelBackend implements BackendProvider {
  /** System property that names another device file, for tests. */
  public static final String DEVICE_PROPERTY = "mitosis.device";

  private static final String LOAD_OR_GO_AROUND =
      "load the mitosis kernel module, or use the user backend";

  private Availability availability;

  /** For {@link java.util.ServiceLoader}. */
  public KernelBackend() {}

  @Override
  public Backend backend() {
    return Backend.KERNEL;
  }

  @Override
  public synchronized Availability availability() {
    if (availability == null) {
      availability = probe();
    }
    return availability;
  }

  @Override
  public Device open() {
    String path = path();
    if (!new File(path).exists()) {
      throw MitosisException.of(Operation.OPEN, Errno.ENODEV)
          .problem(isMissing(path))
          .advice(LOAD_OR_GO_AROUND)
          .build();
    }
    LibMitosis.load();
    int result = ResumedChild.listen();
    if (result < 0) {
      throw Failure.of(Backend.KERNEL, Operation.OPEN, -result, LibMitosis.error()).build();
    }
    long[] device = new long[1];
    result = LibMitosis.mitosis_open_module((path + '\0').getBytes(StandardCharsets.UTF_8), device);
    if (result < 0) {
      throw MitosisException.of(Operation.OPEN, -result)
          .problem(LibMitosis.error())
          .advice(
              -result == Errno.EACCES || -result == Errno.EPERM
                  ? "give this user read and write access to it"
                  : LOAD_OR_GO_AROUND)
          .build();
    }
    return new KernelDevice(device[0]);
  }

  private Availability probe() {
    String path = path();
    if (!new File(path).exists()) {
      return Availability.missing(Backend.KERNEL, isMissing(path), LOAD_OR_GO_AROUND);
    }
    try (Device device = open()) {
      device.nil();
      return Availability.available(Backend.KERNEL, path + " is there and answers Nil");
    } catch (MitosisException e) {
      String cause =
          e.operation() == Operation.NIL
              ? path + " is there but answers Nil with " + Errno.name(e.errno())
              : e.problem();
      return Availability.missing(
          Backend.KERNEL, cause, e.advice().isEmpty() ? LOAD_OR_GO_AROUND : e.advice());
    }
  }

  private static String path() {
    return System.getProperty(DEVICE_PROPERTY, Uapi.MITOSIS_DEVICE_PATH);
  }

  private static String isMissing(String path) {
    return path + " is not there: the kernel module is not loaded";
  }
}
