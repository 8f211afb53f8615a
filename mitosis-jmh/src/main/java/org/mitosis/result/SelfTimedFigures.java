// SPDX-License-Identifier: Apache-2.0
package org.mitosis.result;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * Figures from the logs of all forks. A fork that JMH did not keep is left out, and so is one that
 * ended before its last iteration did, unless the whole run was killed: then it is shown as far as
 * it came.
 */
final class SelfTimedFigures {
  private SelfTimedFigures() {}

  /**
   * The figures, in the order of their first forks.
   *
   * @param series of all forks
   * @param killed whether the run was killed
   * @param scores what JMH kept, which says how many forks the run asked for where no log does
   * @param problems a message for each fork that is left out
   */
  static List<Figure> of(
      List<HistogramLog.Series> series,
      boolean killed,
      List<Figure> scores,
      List<String> problems) {
    Map<List<Object>, Figure> kept = new LinkedHashMap<>();
    scores.forEach(score -> kept.putIfAbsent(List.of(score.benchmark(), score.params()), score));
    Map<Figure.Key, List<Figure.Fork>> byFigure = new LinkedHashMap<>();
    Map<Figure.Key, Integer> asked = new LinkedHashMap<>();
    Set<String> leftOut = new LinkedHashSet<>();
    for (HistogramLog.Series one : series) {
      Figure.Key key =
          new Figure.Key(
              one.benchmark(), OlderResults.completed(one.params()), one.metric(), Figure.NS);
      asked.merge(key, one.log().asked().forks(), Math::max);
      List<Figure.Fork> forks = byFigure.computeIfAbsent(key, any -> new ArrayList<>());
      if (one.log().aborted() || one.log().isUnfinished() && !killed) {
        leftOut.add(
            one.log().file() + " is of a fork that JMH did not keep: its samples are left out");
      } else {
        forks.add(fork(one));
      }
    }
    problems.addAll(leftOut);
    List<Figure> figures = new ArrayList<>();
    byFigure.forEach(
        (key, forks) -> {
          Figure score = kept.get(List.of(key.benchmark(), key.params()));
          int forksAsked =
              asked.get(key) > 0 || score == null ? asked.get(key) : score.forksAsked();
          figures.add(
              new Figure(
                  key.benchmark(), key.params(), key.metric(), key.unit(), forks, forksAsked));
        });
    return figures;
  }

  private static Figure.Fork fork(HistogramLog.Series series) {
    List<Figure.Point> points = new ArrayList<>();
    for (HistogramLog.Slice slice : series.slices()) {
      points.add(
          new Figure.Point(
              slice.iteration(),
              slice.startMs(),
              slice.endMs(),
              slice.samples().median(),
              slice.samples()));
    }
    return new Figure.Fork(series.fork(), points, series.log().container());
  }
}
