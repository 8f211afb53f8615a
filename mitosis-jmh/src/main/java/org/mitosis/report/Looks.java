// SPDX-License-Identifier: Apache-2.0
package org.mitosis.report;

import java.util.ArrayList;
import java.util.List;
import org.mitosis.report.chart.Look;
import org.mitosis.result.Run;

/** Gives the series of a chart their looks: of several runs, those of one name share a colour. */
final class Looks {
  private final List<Run> runs;
  private final List<String> names = new ArrayList<>();

  Looks(List<Run> runs) {
    this.runs = runs;
  }

  /**
   * The look of a series.
   *
   * @param name without the letter of its run
   */
  Look of(Run run, String name) {
    if (!names.contains(name)) {
      names.add(name);
    }
    int at = names.indexOf(name);
    return runs.size() < 2 ? Look.of(at) : Look.of(at, runs.indexOf(run));
  }
}
