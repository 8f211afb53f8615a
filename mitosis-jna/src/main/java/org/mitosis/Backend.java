// SPDX-License-Identifier: Apache-2.0
package org.mitosis;

import java.util.Locale;

/** What carries out the operations of a {@link Device}. */
public enum Backend {
  /** The kernel module, reached through {@code /dev/mitosis-syscalls}. */
  KERNEL,
  /** The embedded user-space implementation, libmitosis and its daemon. */
  USER;

  /**
   * Reads a backend's name as users write it.
   *
   * @param name {@code kernel} or {@code user}, in any case
   * @throws IllegalArgumentException if it is neither; the message lists both
   */
  public static Backend parse(String name) {
    for (Backend backend : values()) {
      if (backend.toString().equals(name.toLowerCase(Locale.ROOT))) {
        return backend;
      }
    }
    throw new IllegalArgumentException(
        "'" + name + "' is not a backend: choose 'kernel' or 'user'");
  }

  /** The name as users write it: {@code kernel} or {@code user}. */
  @Override
  public String toString() {
    return name().toLowerCase(Locale.ROOT);
  }
}
