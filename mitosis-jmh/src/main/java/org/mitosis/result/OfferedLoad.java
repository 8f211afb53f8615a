// SPDX-License-Identifier: Apache-2.0
package org.mitosis.result;

import java.util.Locale;

/**
 * What became of the children of a schedule.
 *
 * @param offered all of them
 * @param lost not started at all
 * @param late started only after the schedule's end
 */
public record OfferedLoad(double offered, double lost, double late) {
  /** A schedule of which no more than this share is late was kept. */
  private static final double LATE_MAX = 0.01;

  /** Whether the rate of the schedule was reached. */
  public boolean isReached() {
    return !(lost > 0) && !(late > LATE_MAX * offered);
  }

  /** What the row says of it; empty if the rate was reached. */
  public String note() {
    if (isReached()) {
      return "";
    }
    return lost > 0
        ? String.format(Locale.ROOT, "rate not reached, %.1f %% lost", lost / offered * 100)
        : String.format(
            Locale.ROOT, "rate not reached, %.1f %% started after its end", late / offered * 100);
  }
}
