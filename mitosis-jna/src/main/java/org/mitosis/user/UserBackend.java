// SPDX-License-Identifier: Apache-2.0
package org.mitosis.user;

import org.mitosis.Availability;
import org.mitosis.Backend;
import org.mitosis.BackendProvider;
import org.mitosis.Device;
import org.mitosis.Mitosis;
import org.mitosis.MitosisException;
import org.mitosis.Operation;
import org.mitosis.posix.LibC;
import org.mitosis.posix.LibMitosis;
import org.mitosis.posix.ResumedChild;
import org.mitosis.spi.Failure;

/** Remote fork by libmitosis and its daemon, without a kernel module. */
public final class UserBackend implements BackendProvider {
  private Availability availability;

  /** For {@link java.util.ServiceLoader}. */
  public UserBackend() {}

  @Override
  public Backend backend() {
    return Backend.USER;
  }

  /** Opens a device and closes it, which starts the daemon if none is running. */
  @Override
  public synchronized Availability availability() {
    if (availability == null) {
      availability = probe();
    }
    return availability;
  }

  @Override
  public Device open() {
    LibMitosis.load();
    String keyFile = System.getProperty(Mitosis.KEY_FILE_PROPERTY, "");
    if (!keyFile.isEmpty()) {
      LibC.setenv("MITOSIS_KEY_FILE", keyFile);
    }
    long[] device = new long[1];
    int result = ResumedChild.listen();
    if (result == 0) {
      result = LibMitosis.mitosis_open(LibMitosis.MITOSIS_BACKEND_USER, device);
    }
    if (result < 0) {
      throw Failure.of(Backend.USER, Operation.OPEN, -result, LibMitosis.error()).build();
    }
    return new UserDevice(device[0]);
  }

  private Availability probe() {
    try (Device device = open()) {
      device.nil();
      return Availability.available(
          Backend.USER, "libmitosis " + LibMitosis.version() + " and its daemon work");
    } catch (MitosisException e) {
      return Availability.missing(
          Backend.USER,
          e.problem(),
          e.advice().isEmpty()
              ? "correct what the message names, or load the mitosis kernel module"
              : e.advice());
    }
  }
}
