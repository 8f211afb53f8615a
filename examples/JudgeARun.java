// SPDX-License-Identifier: Apache-2.0
import java.io.IOException;
import java.nio.file.Path;
import org.mitosis.result.Estimate;
import org.mitosis.result.Figure;
import org.mitosis.result.Run;

/** A run that is read again: what it measured, how sure that is, and whether it had settled. */
public final class JudgeARun {
  private JudgeARun() {}

  public static void main(String[] args) {
    if (args.length != 1) {
      System.err.println("give one run: its folder, a .zip of that, or a JSON file of JMH");
      System.exit(2);
    }
    Run run;
    try {
      run = Run.read(Path.of(args[0]));
    } catch (IOException e) {
      System.err.println(e.getMessage());
      System.exit(1);
      return;
    }
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
