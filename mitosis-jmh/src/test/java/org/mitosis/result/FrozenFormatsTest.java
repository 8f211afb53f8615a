// SPDX-License-Identifier: Apache-2.0
package org.mitosis.result;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.net.URISyntaxException;
import java.net.URL;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.TreeSet;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/**
 * Folders of runs as each version has written them, in {@code formats/} of the test resources. They
 * never change: a new format gets a folder of its own, whose name begins with its number.
 *
 * <p>Fork f of {@code ForkResume.workingSet} has the samples 100 f + {0, 10, 20, 10, 30} ns, with a
 * median of 100 f + 10. {@code NilCall.jna} has the scores 229, 231; 230, 232; 233, 235 ns, with
 * the medians 230, 231 and 234 of its forks.
 */
class FrozenFormatsTest {
  private static final String RESUME = "ForkResume.workingSet";
  private static final Path PACKED = Path.of("../results/2026-11-25T055447Z-vm-all.zip");

  private Path formats;

  @BeforeEach
  void resources() throws URISyntaxException {
    URL url = getClass().getResource("/formats");
    assertTrue(url != null, "formats/ is not among the test resources");
    formats = Path.of(url.toURI());
  }

  @Test
  void everyFormatHasAFolder() throws IOException {
    TreeSet<Integer> logs = new TreeSet<>();
    TreeSet<Integer> environments = new TreeSet<>();
    try (Stream<Path> folders = Files.list(formats)) {
      for (Path folder : folders.toList()) {
        logs.add(Integer.valueOf(folder.getFileName().toString().replaceFirst("-.*", "")));
        environments.add(
            new ObjectMapper()
                .readTree(folder.resolve(ResultFolder.ENVIRONMENT).toFile())
                .get("schema")
                .asInt());
      }
    }
    for (int format = 1; format <= HistogramLog.FORMAT; format++) {
      assertTrue(logs.contains(format), "no folder of logs of format " + format);
    }
    for (int schema = 1; schema <= Environment.SCHEMA; schema++) {
      assertTrue(environments.contains(schema), "no folder of environments of format " + schema);
    }
  }

  /** The first logs had one line for each iteration, and no tags of iterations. */
  @Test
  void format1WithoutIterations() throws IOException {
    Run run = read("1-without-iterations", Environment.Outcome.COMPLETE);
    assertEquals(List.of(), run.problems());
    Figure resume = figure(run, RESUME, "resume");
    assertEquals(
        Map.of("memorySize", "1048576", "protection", "handshake", "transport", "tcp"),
        resume.params());
    assertEstimate(210, List.of(110.0, 210.0, 310.0), resume);
    assertEquals(List.of(1, 1), iterations(resume));
    assertEquals(List.of(210.0, 220.0), values(resume.forks().get(1)));
    assertEquals("", resume.shortfall());
    assertEstimate(231, List.of(230.0, 231.0, 234.0), figure(run, "NilCall.jna", Figure.SCORE));
  }

  @Test
  void format1WithIterations() throws IOException {
    Run run = read("1-with-iterations", Environment.Outcome.COMPLETE);
    assertEquals(List.of(), run.problems());
    Figure resume = figure(run, RESUME, "resume");
    assertEquals("handshake", resume.params().get("protection"));
    assertEstimate(210, List.of(110.0, 210.0, 310.0), resume);
    assertEquals(List.of(1, 1, 2, 2), iterations(resume));
    assertEquals(List.of(205.0, 220.0, 210.0, 230.0), values(resume.forks().get(1)));
    long startMs = 1_795_515_600_000L; // 2026-11-24T10:20:00Z
    assertEquals(startMs + 500, resume.forks().get(0).points().get(2).startMs());
    assertEquals("", resume.shortfall());
    assertEstimate(231, List.of(230.0, 231.0, 234.0), figure(run, "NilCall.jna", Figure.SCORE));
  }

  /** The second of three forks failed in its second iteration. */
  @Test
  void format2() throws IOException {
    Run run = read("2", Environment.Outcome.FAILED);
    assertEquals(
        List.of(
            "ForkResume.workingSet,memorySize=1048576,protection=sealed,transport=tcp,fork=2.hlog"
                + " is of a fork that JMH did not keep: its samples are left out"),
        run.problems());
    Figure resume = figure(run, RESUME, "resume");
    assertEquals("sealed", resume.params().get("protection"));
    assertEstimate(210, List.of(110.0, 310.0), resume);
    assertEquals("2 of 3 forks", resume.shortfall());
    assertEquals(List.of(resume.title()), run.failed());
    assertEstimate(231, List.of(230.0, 231.0, 234.0), figure(run, "NilCall.jna", Figure.SCORE));
  }

  /** The same format with what later versions add to it. */
  @Test
  void format2WithTheContainerOfTheChildren() throws IOException {
    Run run = read("2-with-container", Environment.Outcome.COMPLETE);
    assertEquals(List.of(), run.problems());
    Figure resume = figure(run, RESUME, "resume");
    assertEstimate(160, List.of(110.0, 210.0), resume);
    assertEquals(List.of("lean: control groups v2"), resume.containers());
    Environment environment = run.environment().orElseThrow();
    assertEquals("glibc 2.36", environment.tools().libc());
    assertEquals(12, environment.before().counters().stealMs());
    assertEquals(List.of(), environment.repeated());
  }

  /** By hand: the means of 229.835822, 229.182690 and of 229.329281, 230.420745 and of the rest. */
  @Test
  void theCommittedRunIsOfFormat1() throws IOException {
    assumeTrue(Files.exists(PACKED), "SKIP packed run: results/ is not beside this module");
    Run run = Run.read(PACKED);
    assertEquals(List.of(), run.problems());
    List<Double> medians =
        Estimate.of(figure(run, "NilCall.jna", Figure.SCORE)).forkMedians().stream()
            .map(median -> Math.round(median * 1e6) / 1e6)
            .toList();
    assertEquals(List.of(229.509256, 229.875013, 229.399471), medians);
  }

  private Run read(String folder, Environment.Outcome outcome) throws IOException {
    Run run = Run.read(formats.resolve(folder));
    assertEquals(folder, run.name());
    Environment environment = run.environment().orElseThrow();
    assertEquals(outcome, environment.outcome());
    assertEquals("fixture", environment.machine().host());
    assertEquals("2026-11-24T10:20:00Z", environment.started());
    assertEquals("user", environment.backend().chosen());
    assertEquals(List.of(1.81, 1.97, 1.71), environment.before().load());
    assertEquals(List.of("the CPU frequency is not fixed"), environment.warnings());
    assertEquals(2, run.figures().size(), run.figures()::toString);
    return run;
  }

  private static Figure figure(Run run, String benchmark, String metric) {
    return run.figures().stream()
        .filter(figure -> figure.shortName().equals(benchmark) && figure.metric().equals(metric))
        .findFirst()
        .orElseThrow();
  }

  private static void assertEstimate(double median, List<Double> forks, Figure figure) {
    assertEquals(Figure.NS, figure.unit());
    assertEquals(forks, Estimate.of(figure).forkMedians());
    assertEquals(median, Estimate.of(figure).median());
  }

  private static List<Integer> iterations(Figure figure) {
    return figure.forks().get(0).points().stream().map(Figure.Point::iteration).toList();
  }

  private static List<Double> values(Figure.Fork fork) {
    return fork.points().stream().map(Figure.Point::value).toList();
  }
}
