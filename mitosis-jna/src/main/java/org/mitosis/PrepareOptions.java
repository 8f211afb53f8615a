// SPDX-License-Identifier: Apache-2.0
package org.mitosis;

import java.time.Duration;
import java.util.Objects;
import java.util.Set;

/**
 * How a device takes snapshots: {@link Device#setPrepareOptions}.
 *
 * @param stopWithin how long the other threads of this process may take to stop, 1 ms to 60 s; then
 *     prepare fails with ETIMEDOUT and names one that runs
 * @param leftOut numbers of open files, from 3 on, that are not part of the snapshot: a child has
 *     there what its caller has. Those that are not open at prepare count for nothing
 * @param stopSignal the real-time signal that stops the threads, 32 to 64, from 34 on one that this
 *     process does not use, else prepare fails with EADDRINUSE; 0 for the environment variable
 *     MITOSIS_STOP_SIGNAL, else 33
 */
public record PrepareOptions(Duration stopWithin, Set<Integer> leftOut, int stopSignal) {
  private static final Duration STOP_WITHIN_MAX = Duration.ofSeconds(60);
  private static final int FIRST_NUMBER = 3;
  private static final int STOP_SIGNAL_MIN = 32;
  private static final int STOP_SIGNAL_MAX = 64;

  /** What a new device has: threads stop within two seconds, and no file is left out. */
  public static final PrepareOptions DEFAULT =
      new PrepareOptions(Duration.ofSeconds(2), Set.of(), 0);

  /**
   * Checks the values.
   *
   * @throws IllegalArgumentException if the time, the signal, a number or how many there are is out
   *     of range
   */
  public PrepareOptions {
    Objects.requireNonNull(stopWithin, "stopWithin");
    leftOut = Set.copyOf(leftOut);
    if (stopWithin.toMillis() < 1 || stopWithin.compareTo(STOP_WITHIN_MAX) > 0) {
      throw new IllegalArgumentException(
          "stopWithin must be between 1 ms and 60 s, got " + stopWithin);
    }
    if (stopSignal != 0 && (stopSignal < STOP_SIGNAL_MIN || stopSignal > STOP_SIGNAL_MAX)) {
      throw new IllegalArgumentException(
          "stopSignal must be between "
              + STOP_SIGNAL_MIN
              + " and "
              + STOP_SIGNAL_MAX
              + ", or 0, got "
              + stopSignal);
    }
    if (leftOut.size() > Limits.LEFT_OUT_MAX) {
      throw new IllegalArgumentException(
          "leftOut must have at most " + Limits.LEFT_OUT_MAX + " numbers, got " + leftOut.size());
    }
    for (int number : leftOut) {
      if (number < FIRST_NUMBER) {
        throw new IllegalArgumentException(
            "leftOut must have numbers from " + FIRST_NUMBER + " on, got " + number);
      }
    }
  }

  /** The same with another time. */
  public PrepareOptions withStopWithin(Duration time) {
    return new PrepareOptions(time, leftOut, stopSignal);
  }

  /** The same with other open files left out. */
  public PrepareOptions withLeftOut(Set<Integer> numbers) {
    return new PrepareOptions(stopWithin, numbers, stopSignal);
  }

  /** The same with another signal, or with 0. */
  public PrepareOptions withStopSignal(int signal) {
    return new PrepareOptions(stopWithin, leftOut, signal);
  }
}
