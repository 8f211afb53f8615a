// SPDX-License-Identifier: Apache-2.0
package org.mitosis.report;

import java.util.Optional;
import java.util.OptionalDouble;
import org.mitosis.report.chart.Chart;
import org.mitosis.result.Estimate;
import org.mitosis.result.Figure;
import org.mitosis.result.ReferenceFigures;
import org.mitosis.result.Run;
import org.mitosis.stats.Interval;

/**
 * A figure with its statistics and its published value.
 *
 * @param run index of its run
 * @param figure the measured figure
 * @param estimate its estimate
 * @param published the published median, in its unit; empty if none was published
 * @param publishedHosts the machines of the published figure; empty if there is none
 * @param failed whether a process of it gave no result
 * @param floor the noise floor in its unit; 0 if unknown
 */
record ReportedFigure(
    Run run,
    Figure figure,
    Estimate estimate,
    OptionalDouble published,
    String publishedHosts,
    boolean failed,
    double floor) {
  private static final double NS_PER_MS = 1e6;

  static ReportedFigure of(Run run, NoiseFloor floor, Figure figure) {
    Optional<ReferenceFigures> reference =
        ReferenceFigures.ofBenchmark(figure.shortName(), figure.metric())
            .filter(known -> figure.unit().equals(Figure.NS));
    String trace = figure.function().orElse(figure.memoryBytes().map(String::valueOf).orElse(""));
    OptionalDouble ms =
        reference
            .map(known -> known.medianMs(trace, figure.metric()))
            .orElse(OptionalDouble.empty());
    return new ReportedFigure(
        run,
        figure,
        Estimate.of(figure),
        ms.isPresent() ? OptionalDouble.of(ms.getAsDouble() * NS_PER_MS) : OptionalDouble.empty(),
        ms.isPresent() ? reference.map(ReferenceFigures::hosts).orElse("") : "",
        figure.isIncomplete() || run.failed().contains(figure.title()),
        floor.below(figure));
  }

  /** Why it stands for less than the run asked for; empty if it does not. */
  String shortfall() {
    return figure.isIncomplete() ? figure.shortfall() : failed ? "failed in part" : "";
  }

  boolean isTime() {
    return figure.unit().equals(Figure.NS);
  }

  boolean isBelowFloor() {
    return estimate.median() <= floor;
  }

  double medianMs() {
    return estimate.median() / NS_PER_MS;
  }

  /** Its median and interval in ms, as a point of a chart. */
  Chart.Point point(double x) {
    double median = medianMs();
    Optional<Interval> interval =
        estimate
            .interval()
            .filter(one -> one.low() > 0 && one.low() <= estimate.median())
            .filter(one -> one.high() >= estimate.median());
    return new Chart.Point(
        x,
        median,
        interval.map(one -> one.low() / NS_PER_MS).orElse(median),
        interval.map(one -> one.high() / NS_PER_MS).orElse(median),
        label());
  }

  private String label() {
    String forks = figure.forks().size() + (figure.forks().size() == 1 ? " fork" : " forks");
    return Quantity.of(estimate.median(), figure.unit())
        + estimate
            .interval()
            .map(
                one ->
                    " ("
                        + Quantity.of(one.low(), figure.unit())
                        + " to "
                        + Quantity.of(one.high(), figure.unit())
                        + ", "
                        + Math.round(one.confidence() * 100)
                        + " % interval)")
            .orElse("")
        + ", "
        + estimate.summary().count()
        + " samples, "
        + forks;
  }
}
