// SPDX-License-Identifier: Apache-2.0
import java.io.IOException;
import java.nio.file.Path;
import org.mitosis.result.Estimate;
import org.mitosis.result.Figure;
import org.mitosis.result.Run;

/** A run that is read again: what it measured, how sure that is, and whether it had settled. */
public final class JudgeARun {
  private JudgeARun() {}

  public static void main(String[] args) throws IOException {
    Run run = Run.read(Path.of(args[0]));
    run.problems().forEach(System.out::println);
    for (Figure figure : run.figures()) {
      Estimate estimate = Estimate.of(figure);
      System.out.println(
          figure.title() + ", " + figure.metric() + ": " + estimate.median() + " " + figure.unit()
              + estimate.interval().map(it -> ", " + it.low() + " to " + it.high()).orElse("")
              + " (" + estimate.steadyLabels() + ")");
    }
  }
}
