// SPDX-License-Identifier: Apache-2.0
package org.mitosis.stats;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;

/**
 * Whether a series of times of one process reaches a steady level, and where.
 *
 * <p>The classes are those of Barrett, Bolz-Tereick, Killick, Mount and Tratt: Virtual machine
 * warmup blows hot and cold, OOPSLA 2017: the series is cut at its {@link ChangePoints}; segments
 * whose levels differ by less than {@value #TOLERANCE} of the last level are equal; the equal
 * segments at the end are the steady part, which must be at least a quarter of the series.
 *
 * @param label how the series changes
 * @param from index of the first value of the steady part; 0 if there is none
 */
public record SteadyState(Label label, int from) {
  /** Levels closer than this, as a share of the last, are one level. */
  static final double TOLERANCE = 0.03;

  /** The shortest series that is classified. */
  public static final int FEWEST = 10;

  private static final int SHARE_OF_END = 4;

  /** How a series changes. */
  public enum Label {
    /** The same level from beginning to end. */
    FLAT("flat"),
    /** It ends on its lowest level: times decreased, then stayed. */
    WARM_UP("warm-up"),
    /** It ends on a level above an earlier one: times increased, then stayed. */
    SLOW_DOWN("slow-down"),
    /** It ends with a change: there is no steady part. */
    NONE("none"),
    /** The series is too short. */
    TOO_SHORT("too short");

    private final String text;

    Label(String text) {
      this.text = text;
    }

    /** The text in tables. */
    @Override
    public String toString() {
      return text;
    }
  }

  /** Classifies times in the order in which they were taken: less is better. */
  public static SteadyState of(double... times) {
    if (times.length < FEWEST) {
      return new SteadyState(Label.TOO_SHORT, 0);
    }
    List<Integer> starts = new ArrayList<>(List.of(0));
    starts.addAll(ChangePoints.of(times));
    double[] levels = new double[starts.size()];
    for (int i = 0; i < levels.length; i++) {
      int to = i + 1 < levels.length ? starts.get(i + 1) : times.length;
      levels[i] = Summary.of(Arrays.copyOfRange(times, starts.get(i), to)).median();
    }
    double last = levels[levels.length - 1];
    double tolerance = Math.abs(last) * TOLERANCE;
    int steady = levels.length - 1;
    while (steady > 0 && Math.abs(levels[steady - 1] - last) <= tolerance) {
      steady--;
    }
    int from = starts.get(steady);
    if (steady == 0) {
      return new SteadyState(Label.FLAT, 0);
    }
    if ((times.length - from) * SHARE_OF_END < times.length) {
      return new SteadyState(Label.NONE, 0);
    }
    boolean lowest = Arrays.stream(levels, 0, steady).allMatch(level -> level > last - tolerance);
    return new SteadyState(lowest ? Label.WARM_UP : Label.SLOW_DOWN, from);
  }

  /** Label and beginning of the steady part, such as {@code warm-up from 12}. */
  @Override
  public String toString() {
    return from == 0 ? label.toString() : String.format(Locale.ROOT, "%s from %d", label, from);
  }
}
