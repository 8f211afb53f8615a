// SPDX-License-Identifier: Apache-2.0
package org.mitosis;

import java.util.List;

/**
 * The backend that {@link Mitosis#open()} uses, and why.
 *
 * @param backend the backend chosen
 * @param reason why, as one message without a full stop
 * @param availabilities what was found of every backend, in the order of {@link Backend}
 */
public record BackendChoice(Backend backend, String reason, List<Availability> availabilities) {
  /** Takes a copy of the list. */
  public BackendChoice {
    availabilities = List.copyOf(availabilities);
  }
}
