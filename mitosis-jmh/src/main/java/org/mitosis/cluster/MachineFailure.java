// SPDX-License-Identifier: Apache-2.0
package org.mitosis.cluster;

/** A failure of a machine of the cluster. The message begins with its name. */
final class MachineFailure extends RuntimeException {
  private static final long serialVersionUID = 1L;

  /**
   * A failure.
   *
   * @param host the machine
   * @param problem what went wrong, without the name, and what to do
   */
  MachineFailure(String host, String problem) {
    super(host + ": " + problem);
  }
}
