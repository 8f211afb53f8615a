// SPDX-License-Identifier: Apache-2.0
package org.mitosis;

import java.util.List;

/**
 * One or more hooks failed. All others have run. The first failure is the cause, later ones are
 * suppressed exceptions of it.
 */
public final class HookException extends RuntimeException {
  private static final long serialVersionUID = 1L;

  private final ForkRole role;
  private final boolean prepared;

  HookException(ForkRole role, boolean prepared, String which, List<Throwable> failures) {
    super(message(role, prepared, which, failures), failures.get(0));
    this.role = role;
    this.prepared = prepared;
    failures.subList(1, failures.size()).forEach(this::addSuppressed);
  }

  /** The process in which it is thrown. */
  public ForkRole role() {
    return role;
  }

  /** Whether there is a snapshot: false if a hook before prepare failed. */
  public boolean prepared() {
    return prepared;
  }

  private static String message(
      ForkRole role, boolean prepared, String which, List<Throwable> failures) {
    return which
        + " failed"
        + (failures.size() == 1 ? "" : " " + failures.size() + " times")
        + ": "
        + failures.get(0)
        + (role == ForkRole.CHILD
            ? "; end this child, which may share what the hook was to make its own"
            : prepared ? "; the snapshot is there" : "; there is no snapshot");
  }
}
