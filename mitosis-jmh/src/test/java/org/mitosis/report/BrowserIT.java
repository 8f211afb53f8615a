// SPDX-License-Identifier: Apache-2.0
package org.mitosis.report;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import com.fasterxml.jackson.databind.JsonNode;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.mitosis.OneJdk;
import org.mitosis.result.Environment;
import org.mitosis.result.Run;
import org.mitosis.result.SampleRun;

/** The page as a browser draws it: where its elements are, against the figures of the run. */
@OneJdk
class BrowserIT {
  private static final List<Integer> WIDTHS = List.of(375, 900, 1600);
  private static final int HEIGHT = 900;

  /** Half the width of a marker's border, and the rounding of places. */
  private static final double PIXELS = 1.5;

  /** Elements that reach over the edge, but for those in a box that scrolls. */
  private static final String WIDER_THAN_THE_WINDOW =
      "[...document.querySelectorAll('body *')].filter(e => !e.closest('.scroll, nav')"
          + " && e.getBoundingClientRect().right > innerWidth + 1)"
          + ".map(e => e.outerHTML.slice(0, 120)).slice(0, 3).join('; ')";

  private static final String AXES_WITHOUT_TWO_LABELS =
      "[...document.querySelectorAll('figure')].flatMap(one => ['xAxis', 'yAxis'].filter(name =>"
          + " echarts.getInstanceByDom(one.querySelector('.chart')).getModel().getComponent(name, 0)"
          + ".axis.getViewLabels().filter(label => label.formattedLabel).length < 2)"
          + ".map(name => one.id + ' ' + name))";

  /** Of the figure with the most memory: 64 MiB. */
  private static final String FORKS = "#forks-fork-prepare-working-set-prepare-64-mi-b ";

  private static final String RATIOS = "#runs-prepare ";
  private static final String PREPARE = "#size-prepare ";

  @TempDir Path directory;

  @Test
  void chartsShowTheFiguresAtEveryWidthInLightAndDark() throws Exception {
    Optional<Path> program = Browser.program();
    assumeTrue(program.isPresent(), "needs a browser: apt-get install chromium");
    Path page = report().resolve("index.html");
    try (Browser browser = new Browser(program.get(), directory)) {
      browser.show(WIDTHS.get(0), HEIGHT, false);
      browser.open(page);
      for (int width : WIDTHS) {
        for (boolean dark : new boolean[] {false, true}) {
          browser.show(width, HEIGHT, dark);
          browser.await(
              "document.body?.dataset.drawn === '" + width + (dark ? " dark'" : " light'"));
          String where = width + (dark ? ", dark" : ", light");
          assertEquals("", browser.value(WIDER_THAN_THE_WINDOW).asText(), where);
          assertEquals(width, browser.value("document.documentElement.scrollWidth").asInt(), where);
          assertEquals("[]", browser.value(AXES_WITHOUT_TWO_LABELS).toString(), where);
          firstScreenAnswers(browser, where);
          pointsAreWhereTheFiguresAre(browser, where);
          curvesAreWhereTheSamplesAre(browser, where);
          textCanBeRead(browser, where, dark);
        }
      }
      seriesGoAndComeBack(browser);
      aPointSaysItsFigure(browser);
      labelsArePowersOfTwoAfterZooming(browser);
      assertEquals(
          "rgb(69, 32, 31)",
          browser
              .value("getComputedStyle(document.querySelector('tr.failed td')).backgroundColor")
              .asText());
      assertEquals(
          0,
          browser.value("performance.getEntriesByType('resource').length").asInt(),
          "the page must load nothing");
      assertEquals(List.of(), browser.exceptions());
    }
  }

  /** Three, of which the second takes twice as long as the first, and the third half as long. */
  @Test
  void runsLieOverEachOtherAndTheirRatioIsDrawn() throws Exception {
    Optional<Path> program = Browser.program();
    assumeTrue(program.isPresent(), "needs a browser: apt-get install chromium");
    Map<String, Double> factors = new TreeMap<>(Map.of("A", 1.0, "B", 2.0, "C", 0.5));
    List<Run> runs = new ArrayList<>();
    for (Map.Entry<String, Double> run : factors.entrySet()) {
      SampleRun sample = new SampleRun(directory.resolve("run-" + run.getKey()));
      for (int mib = 1; mib <= 64; mib *= 8) {
        Map<String, String> size = Map.of("memorySize", Long.toString((long) mib << 20));
        long ns = Math.round(mib * 60_000L * run.getValue());
        sample.levels("ForkPrepare.workingSet", size, "prepare", ns, ns, ns);
      }
      runs.add(Run.read(sample.finished().folder()));
    }
    Path report = directory.resolve("report");
    Report.of(runs).write(report);
    try (Browser browser = new Browser(program.get(), directory)) {
      for (int width : WIDTHS) {
        browser.show(width, HEIGHT, width == WIDTHS.get(0));
        browser.open(report.resolve("index.html"));
        browser.await("document.body?.dataset.drawn?.startsWith('" + width + " ')");
        assertEquals("[]", browser.value(AXES_WITHOUT_TWO_LABELS).toString());
        JsonNode labels = places(browser, PREPARE + ".chart svg text");
        LogScale x = new LogScale(labels, "x", "16 MiB", 16, "1 GiB", 1024);
        LogScale y = new LogScale(labels, "y", "0.1", 0.1, "1", 1);
        for (Map.Entry<String, Double> run : factors.entrySet()) {
          String series = run.getKey() + ": ForkPrepare.workingSet";
          for (int times = 0; times < 2; times++) {
            Set<String> drawn = markers(browser, PREPARE, color(browser, PREPARE, series));
            for (int mib = 1; mib <= 64; mib *= 8) {
              String what = series + " of " + mib + " MiB, width " + width;
              assertEquals(
                  times == 0,
                  isDrawn(drawn, x.place(mib), y.place(0.06 * mib * run.getValue())),
                  what + " among " + drawn);
            }
            click(browser, PREPARE, series);
          }
        }
        labels = places(browser, RATIOS + ".chart svg text");
        x = new LogScale(labels, "x", "1 MiB", 1, "64 MiB", 64);
        y = new LogScale(labels, "y", "1", 1, "2", 2);
        for (String run : List.of("B", "C")) {
          String series = run + ": ForkPrepare.workingSet";
          Set<String> drawn = markers(browser, RATIOS, color(browser, RATIOS, series));
          for (int mib = 1; mib <= 64; mib *= 8) {
            assertTrue(
                isDrawn(drawn, x.place(mib), y.place(factors.get(run))),
                series + " of " + mib + " MiB, width " + width + " among " + drawn);
          }
        }
      }
      assertEquals(List.of(), browser.exceptions());
    }
  }

  /** A logarithmic axis, by the places of two of its labels. */
  private record LogScale(double from, double low, double to, double high) {
    LogScale(JsonNode labels, String axis, String from, double low, String to, double high) {
      this(center(labels, from, axis), low, center(labels, to, axis), high);
    }

    double place(double value) {
      return from + Math.log(value / low) / Math.log(high / low) * (to - from);
    }
  }

  private Path report() throws Exception {
    SampleRun sample = new SampleRun(directory.resolve("run"));
    for (int mib = 1; mib <= 64; mib *= 8) {
      Map<String, String> size = Map.of("memorySize", Long.toString((long) mib << 20));
      sample.levels(
          "ForkPrepare.workingSet", size, "prepare", mib * 60_000L, mib * 61_000L, mib * 80_000L);
      sample.levels("Baseline.fork", size, "fork", mib * 20_000L);
    }
    for (String function : List.of("helloworld", "<b>json</b>")) {
      sample.levels("ForkPrepare.function", Map.of("functionName", function), "prepare", 500_000);
    }
    sample
        .environment(
            Environment.Outcome.FAILED, List.of("ForkPrepare.workingSet memorySize=1048576"))
        .finished();
    Path report = directory.resolve("report");
    Report.of(List.of(Run.read(sample.folder()))).write(report);
    return report;
  }

  private static void pointsAreWhereTheFiguresAre(Browser browser, String where) throws Exception {
    JsonNode labels = places(browser, PREPARE + ".chart svg text");
    // A narrow page has fewer of these labels.
    double last = center(labels, "1 GiB", "x");
    double octave = (last - center(labels, "16 MiB", "x")) / 6;
    double bottom = center(labels, "0.1", "y");
    double decade = bottom - center(labels, "1", "y");
    JsonNode markers = places(browser, PREPARE + ".chart svg path");
    for (int mib = 1; mib <= 64; mib *= 8) {
      double x = last + (Math.log(mib) / Math.log(2) - 10) * octave;
      for (Map.Entry<String, Double> line :
          Map.of("ForkPrepare.workingSet", 0.061 * mib, "Baseline.fork", 0.02 * mib).entrySet()) {
        double y = bottom - Math.log10(line.getValue() / 0.1) * decade;
        String color = color(browser, line.getKey());
        boolean found = false;
        for (JsonNode marker : markers) {
          found |=
              marker.path("fill").asText().equals(color)
                  && Math.abs(marker.path("x").asDouble() - x) <= PIXELS
                  && Math.abs(marker.path("y").asDouble() - y) <= PIXELS
                  && marker.path("width").asDouble() < 15;
        }
        String what = line.getKey() + " of " + mib + " MiB at " + x + ", " + y;
        assertTrue(found, where + ": no " + what + " among " + markers);
        double high = bottom - Math.log10(0.08 * mib / 0.1) * decade;
        double low = bottom - Math.log10(0.06 * mib / 0.1) * decade;
        boolean interval = false;
        for (JsonNode bar : markers) {
          interval |=
              Math.abs(bar.path("x").asDouble() - x) <= PIXELS
                  && Math.abs(bar.path("height").asDouble() - (low - high)) <= 3
                  && Math.abs(bar.path("y").asDouble() - (low + high) / 2) <= 2;
        }
        assertTrue(interval, where + ": no interval of " + mib + " MiB among " + markers);
      }
    }
    // Each series of the legend differs from the others in more than its colour.
    assertEquals(
        browser.value("document.querySelectorAll('" + PREPARE + ".keys button').length").asInt(),
        browser
            .value(
                "new Set([...document.querySelectorAll('"
                    + PREPARE
                    + ".keys svg')].map(one => one.innerHTML.replace(/(stroke|fill)=\"[^\"]*\"/g,"
                    + " ''))).size")
            .asInt());
  }

  /** The empirical distribution of each fork: a value of each per cent of its samples. */
  private static void curvesAreWhereTheSamplesAre(Browser browser, String where) throws Exception {
    JsonNode labels = places(browser, FORKS + ".chart svg text");
    double bottom = center(labels, "0", "y");
    double percent = (bottom - center(labels, "100", "y")) / 100;
    long[] levels = {60, 61, 80};
    List<JsonNode> curves = new ArrayList<>();
    for (int fork = 1; fork <= levels.length; fork++) {
      JsonNode curve =
          browser.value(
              "(() => { const button = [...document.querySelectorAll('"
                  + FORKS
                  + ".keys button')].find(one => one.textContent === 'fork "
                  + fork
                  + "'); const stroke = getComputedStyle(button.querySelector('path')).stroke;"
                  + " const path = [...document.querySelectorAll('"
                  + FORKS
                  + ".chart svg path')].find(one => one.getAttribute('d').split('L').length > 90 &&"
                  + " getComputedStyle(one).stroke === stroke); return"
                  + " [...path.getAttribute('d').matchAll(/[-.0-9]+/g)].map(Number).reduce((all,"
                  + " one, at) => { if (at % 2 === 0) { all.push([one]); } else { const last ="
                  + " all.at(-1); const point = new DOMPoint(last[0],"
                  + " one).matrixTransform(path.getScreenCTM()); all[all.length - 1] = [point.x,"
                  + " point.y]; } return all; }, []); })()");
      assertEquals(101, curve.size(), where + ", fork " + fork);
      for (int at = 0; at <= 100; at++) {
        assertEquals(bottom - at * percent, curve.get(at).get(1).asDouble(), PIXELS, where);
      }
      curves.add(curve);
    }
    // Three forks give a scale: its ends, and what lies between.
    double low = curves.get(0).get(50).get(0).asDouble();
    double high = curves.get(2).get(50).get(0).asDouble();
    double perMs = (high - low) / (levels[2] - levels[0]);
    assertTrue(perMs > 1, where + ": " + low + " to " + high);
    for (int fork = 0; fork < levels.length; fork++) {
      for (int at : new int[] {10, 50, 90}) {
        double ms = levels[fork] * (1 + (at - 50) / 40.0 * 0.002);
        assertEquals(
            low + (ms - levels[0]) * perMs,
            curves.get(fork).get(at).get(0).asDouble(),
            3,
            where + ", fork " + (fork + 1) + " at " + at + " %");
      }
    }
  }

  /** Without scrolling one sees what was measured where, three figures, and what failed. */
  private static void firstScreenAnswers(Browser browser, String where) throws Exception {
    for (String part : List.of(".run dl", ".run .failed", ".key")) {
      JsonNode bottoms =
          browser.value(
              "[...document.querySelectorAll('"
                  + part
                  + "')].map(one => one.getBoundingClientRect().bottom + scrollY)");
      assertTrue(bottoms.size() > 0, part);
      for (JsonNode bottom : bottoms) {
        assertTrue(bottom.asDouble() <= HEIGHT, where + ": " + part + " ends at " + bottom);
      }
    }
  }

  private static void textCanBeRead(Browser browser, String where, boolean dark) throws Exception {
    double text = lightness(browser, "getComputedStyle(document.body).color");
    double ground = lightness(browser, "getComputedStyle(document.body).backgroundColor");
    assertTrue(dark ? text - ground > 0.6 : ground - text > 0.6, where + " " + text + " " + ground);
    String label =
        "getComputedStyle(document.querySelector('" + PREPARE + ".chart svg text')).fill";
    assertEquals(text, lightness(browser, label), 0.01, where);
    double left =
        browser
            .value(
                "Math.min(...[...document.querySelectorAll('.chart svg text')]"
                    + ".map(one => one.getBoundingClientRect().left))")
            .asDouble();
    assertTrue(left >= 0, where + ": text is cut off at " + left);
    assertEquals("<b>json</b>", name(browser));
  }

  private static String name(Browser browser) throws Exception {
    return browser
        .value(
            "[...document.querySelectorAll('#function-prepare svg text')].map(one =>"
                + " one.textContent).find(one => one.includes('json'))")
        .asText();
  }

  private static void seriesGoAndComeBack(Browser browser) throws Exception {
    String color = color(browser, "Baseline.fork");
    assertEquals(3, markers(browser, color));
    click(browser, PREPARE, "Baseline.fork");
    assertEquals(0, markers(browser, color));
    assertNotEquals(0, markers(browser, color(browser, "ForkPrepare.workingSet")));
    click(browser, PREPARE, "Baseline.fork");
    assertEquals(3, markers(browser, color));
  }

  private static int markers(Browser browser, String color) throws Exception {
    return markers(browser, PREPARE, color).size();
  }

  /** The places of a figure's markers of a colour, as {@code x y}. */
  private static Set<String> markers(Browser browser, String figure, String color)
      throws Exception {
    // A chart is drawn again with the next frame.
    browser.value(
        "echarts.getInstanceByDom(document.querySelector('" + figure + ".chart')).getZr().flush()");
    Set<String> found = new TreeSet<>();
    for (JsonNode path : places(browser, figure + ".chart svg path")) {
      if (path.path("fill").asText().equals(color)) {
        found.add(path.path("x").asDouble() + " " + path.path("y").asDouble());
      }
    }
    return found;
  }

  private static boolean isDrawn(Set<String> markers, double x, double y) {
    return markers.stream()
        .map(one -> one.split(" "))
        .anyMatch(
            one ->
                Math.abs(Double.parseDouble(one[0]) - x) <= PIXELS
                    && Math.abs(Double.parseDouble(one[1]) - y) <= PIXELS);
  }

  private static void click(Browser browser, String figure, String series) throws Exception {
    browser.value(
        "[...document.querySelectorAll('"
            + figure
            + ".keys button')].find(one => one.textContent === '"
            + series
            + "').click()");
  }

  private static void aPointSaysItsFigure(Browser browser) throws Exception {
    browser.value("document.querySelector('#size-prepare').scrollIntoView({block: 'center'})");
    String color = color(browser, "ForkPrepare.workingSet");
    for (JsonNode marker : places(browser, PREPARE + ".chart svg path")) {
      if (marker.path("fill").asText().equals(color)) {
        browser.moveMouse(marker.path("x").asDouble() - 4, marker.path("y").asDouble());
        browser.moveMouse(marker.path("x").asDouble(), marker.path("y").asDouble());
        break;
      }
    }
    String tip = "[...document.querySelectorAll('" + PREPARE + ".chart > div')].at(-1).innerText";
    browser.await(tip + ".includes('ForkPrepare.workingSet')");
    String said = browser.value(tip).asText();
    assertTrue(said.contains("1 MiB: 61.0 µs (60.0 µs to 80.1 µs, 75 % interval)"), said);
  }

  private static void labelsArePowersOfTwoAfterZooming(Browser browser) throws Exception {
    String chart = "echarts.getInstanceByDom(document.querySelector('" + PREPARE + ".chart'))";
    browser.value(chart + ".dispatchAction({type: 'dataZoom', start: 23, end: 71})");
    browser.value(chart + ".getZr().flush()");
    JsonNode labels = places(browser, PREPARE + ".chart svg text");
    int sizes = 0;
    for (JsonNode label : labels) {
      String text = label.path("text").asText();
      if (text.endsWith("MiB")) {
        assertEquals(1, Integer.bitCount(Integer.parseInt(text.replace(" MiB", ""))), text);
        sizes++;
      }
    }
    assertTrue(sizes >= 2 && sizes < 7, labels.toString());
    assertFalse(labels.toString().contains("NaN"));
  }

  /** The colour of a series' marker in the legend. */
  private static String color(Browser browser, String series) throws Exception {
    return color(browser, PREPARE, series);
  }

  private static String color(Browser browser, String figure, String series) throws Exception {
    return browser
        .value(
            "getComputedStyle([...document.querySelectorAll('"
                + figure
                + ".keys button')].find(one => one.textContent === '"
                + series
                + "').querySelector('path[fill]')).fill")
        .asText();
  }

  /**
   * The centres and sizes of elements, with their colour; of text, its anchor, as it may be turned.
   */
  private static JsonNode places(Browser browser, String selector) throws Exception {
    return browser.value(
        "[...document.querySelectorAll('"
            + selector
            + "')].map(one => { const box = one.getBoundingClientRect(); const at = new"
            + " DOMPoint(one.getAttribute('x') ?? 0, one.getAttribute('y') ??"
            + " 0).matrixTransform(one.getScreenCTM()); const text = one.tagName === 'text'; return"
            + " {x: text ? at.x : box.x + box.width / 2, y: text ? at.y : box.y + box.height / 2,"
            + " width: box.width, height: box.height, text: one.textContent, fill:"
            + " getComputedStyle(one).fill}; })");
  }

  private static double center(JsonNode labels, String text, String axis) {
    Map<String, Double> found = new HashMap<>();
    labels.forEach(one -> found.put(one.path("text").asText(), one.path(axis).asDouble()));
    assertTrue(found.containsKey(text), text + " is not among " + found.keySet());
    return found.get(text);
  }

  /** From 0, black, to 1, white. */
  private static double lightness(Browser browser, String color) throws Exception {
    String[] rgb = browser.value(color).asText().toLowerCase(Locale.ROOT).split("[^0-9.]+");
    return (Double.parseDouble(rgb[1]) + Double.parseDouble(rgb[2]) + Double.parseDouble(rgb[3]))
        / (3 * 255);
  }
}
