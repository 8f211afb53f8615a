// SPDX-License-Identifier: Apache-2.0
package org.mitosis.report;

import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assertions.fail;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.awt.image.BufferedImage;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import javax.imageio.ImageIO;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.mitosis.OneJdk;
import org.mitosis.report.chart.Look;
import org.mitosis.result.Environment;
import org.mitosis.result.Run;
import org.mitosis.result.SampleRun;

/** The page as a browser draws it. */
@OneJdk
class BrowserIT {
  private static final int WIDTH = 1400;
  private static final int HEIGHT = 2400;
  private static final long DEADLINE_S = 90;

  @TempDir Path directory;

  @Test
  void theBrowserDrawsLinesPublishedFiguresAndFailures() throws Exception {
    Optional<Path> browser =
        Stream.of("chromium", "chromium-browser", "google-chrome")
            .map(name -> Path.of("/usr/bin", name))
            .filter(Files::isExecutable)
            .findFirst();
    assumeTrue(browser.isPresent(), "needs a browser: apt-get install chromium");
    SampleRun sample = new SampleRun(directory.resolve("run"));
    for (int mib = 1; mib <= 64; mib *= 8) {
      Map<String, String> size = Map.of("memorySize", Long.toString((long) mib << 20));
      sample.levels(
          "ForkPrepare.workingSet", size, "prepare", mib * 60_000L, mib * 61_000L, mib * 62_000L);
      sample.levels("Baseline.fork", size, "fork", mib * 50_000L);
    }
    sample
        .environment(
            Environment.Outcome.FAILED, List.of("ForkPrepare.workingSet memorySize=1048576"))
        .finished();
    Path report = directory.resolve("report");
    Report.of(List.of(Run.read(sample.folder()))).write(report);

    Path picture = directory.resolve("page.png");
    Process process =
        new ProcessBuilder(
                browser.get().toString(),
                "--headless",
                "--no-sandbox",
                "--disable-gpu",
                "--hide-scrollbars",
                "--host-resolver-rules=MAP * ~NOTFOUND",
                "--user-data-dir=" + directory.resolve("profile"),
                "--window-size=" + WIDTH + "," + HEIGHT,
                "--screenshot=" + picture,
                report.resolve("index.html").toUri().toString())
            .redirectErrorStream(true)
            .redirectOutput(directory.resolve("browser.log").toFile())
            .start();
    if (!process.waitFor(DEADLINE_S, TimeUnit.SECONDS)) {
      process.descendants().forEach(ProcessHandle::destroyForcibly);
      process.destroyForcibly();
      fail(
          "no picture after "
              + DEADLINE_S
              + " s: "
              + Files.readString(directory.resolve("browser.log")));
    }
    BufferedImage page = ImageIO.read(picture.toFile());
    // A line of each colour is a few hundred pixels; what is published is black and dashed.
    assertDrawn(page, "our line", 0xFF000000 | Look.of(0).rgb(), 200);
    assertDrawn(page, "the second line", 0xFF000000 | Look.of(1).rgb(), 200);
    assertDrawn(page, "the published line", 0xFF000000 | Look.PUBLISHED.rgb(), 100);
    assertDrawn(page, "the mark of a failure", 0xFFFDECEA, 2000);
  }

  private static void assertDrawn(BufferedImage page, String what, int rgb, int pixels) {
    int found = 0;
    for (int y = 0; y < page.getHeight(); y++) {
      for (int x = 0; x < page.getWidth(); x++) {
        found += page.getRGB(x, y) == rgb ? 1 : 0;
      }
    }
    assertTrue(found >= pixels, what + " has " + found + " pixels of " + pixels);
  }
}
