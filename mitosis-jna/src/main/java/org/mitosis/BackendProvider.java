// SPDX-License-Identifier: Apache-2.0
package org.mitosis;

/** One backend, found through {@link java.util.ServiceLoader} by {@link Mitosis}. */
public interface BackendProvider {
  /** Which backend this is. */
  Backend backend();

  /** Whether it can be used here; probed at most once per process, and never throws. */
  Availability availability();

  /**
   * Opens a device.
   *
   * @throws MitosisException if the backend cannot be used
   */
  Device open();
}
