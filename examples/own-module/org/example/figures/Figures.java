// SPDX-License-Identifier: Apache-2.0
package org.example.figures;

import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import org.mitosis.Availability;
import org.mitosis.Mitosis;
import org.mitosis.report.Report;
import org.mitosis.result.Estimate;
import org.mitosis.result.Figure;
import org.mitosis.result.Run;

/** A module of one's own: asks for the backends of this machine, reads a run, and writes a report on it. */
public final class Figures {
  private Figures() {}

  public static void main(String[] args) throws IOException {
    for (Availability one : Mitosis.availabilities()) {
      System.out.println(one.backend() + (one.available() ? ": can be used" : ": " + one.cause()));
    }
    Run run = Run.read(Path.of(args[0]));
    for (Figure figure : run.figures()) {
      System.out.println(figure.title() + ": " + Estimate.of(figure).median() + " " + figure.unit());
    }
    Report.of(List.of(run)).write(Path.of(args[1]));
  }
}
