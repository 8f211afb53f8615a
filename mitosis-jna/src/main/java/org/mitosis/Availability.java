// SPDX-License-Identifier: Apache-2.0
package org.mitosis;

import java.util.Objects;

/**
 * Whether a backend can be used on this machine, and why.
 *
 * @param backend the backend spoken of
 * @param available true if {@link Mitosis#open(Backend)} is expected to succeed
 * @param cause what was found, as one message without a full stop
 * @param remedy what to do to make it available, one message without a full stop; empty if
 *     available
 */
public record Availability(Backend backend, boolean available, String cause, String remedy) {
  /** Checks that nothing is missing. */
  public Availability {
    Objects.requireNonNull(backend, "backend");
    Objects.requireNonNull(cause, "cause");
    Objects.requireNonNull(remedy, "remedy");
  }

  /** An available backend. */
  public static Availability available(Backend backend, String cause) {
    return new Availability(backend, true, cause, "");
  }

  /** A backend that cannot be used, with what to do about it. */
  public static Availability missing(Backend backend, String cause, String remedy) {
    return new Availability(backend, false, cause, remedy);
  }
}
