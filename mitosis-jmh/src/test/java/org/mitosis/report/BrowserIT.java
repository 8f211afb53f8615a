// SPDX-License-Identifier: Apache-2.0
package org.mitosis.report;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import com.fasterxml.jackson.databind.JsonNode;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
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
          pointsAreWhereTheFiguresAre(browser, where);
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
    String click =
        "[...document.querySelectorAll('"
            + PREPARE
            + ".keys button')].find(one => one.textContent === 'Baseline.fork').click()";
    assertEquals(3, markers(browser, color));
    browser.value(click);
    assertEquals(0, markers(browser, color));
    assertNotEquals(0, markers(browser, color(browser, "ForkPrepare.workingSet")));
    browser.value(click);
    assertEquals(3, markers(browser, color));
  }

  private static int markers(Browser browser, String color) throws Exception {
    // A chart is drawn again with the next frame.
    browser.value(
        "echarts.getInstanceByDom(document.querySelector('"
            + PREPARE
            + ".chart')).getZr().flush()");
    int found = 0;
    for (JsonNode path : places(browser, PREPARE + ".chart svg path")) {
      found += path.path("fill").asText().equals(color) ? 1 : 0;
    }
    return found;
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
    return browser
        .value(
            "getComputedStyle([...document.querySelectorAll('"
                + PREPARE
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
