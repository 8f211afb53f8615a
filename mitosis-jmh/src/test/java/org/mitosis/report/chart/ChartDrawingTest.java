// SPDX-License-Identifier: Apache-2.0
package org.mitosis.report.chart;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.awt.image.BufferedImage;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import javax.imageio.ImageIO;
import javax.xml.parsers.DocumentBuilderFactory;
import org.apache.pdfbox.Loader;
import org.apache.pdfbox.pdmodel.PDDocument;
import org.apache.pdfbox.pdmodel.PDResources;
import org.apache.pdfbox.rendering.PDFRenderer;
import org.apache.pdfbox.text.PDFTextStripper;
import org.junit.jupiter.api.Test;
import org.mitosis.report.chart.Axis.Scale;
import org.mitosis.report.chart.Chart.Kind;
import org.w3c.dom.Document;
import org.w3c.dom.Element;
import org.w3c.dom.NodeList;

class ChartDrawingTest {
  private static final double MIB = 1 << 20;

  private static Chart chart(Chart.Series... series) {
    return new Chart(
        "Prepare <&>",
        "Medians.",
        Axis.of("working set", Scale.BYTES),
        Axis.of("prepare time, ms", Scale.LOGARITHMIC),
        List.of(series));
  }

  private static Chart.Series line(String name, double factor) {
    List<Chart.Point> points = new ArrayList<>();
    for (int mib = 1; mib <= 1024; mib *= 4) {
      double ms = factor * mib;
      points.add(new Chart.Point(mib * MIB, ms, ms * 0.9, ms * 1.2, ""));
    }
    return new Chart.Series(name, Kind.LINE, Look.of(0), points);
  }

  private static Document parsed(String svg) throws Exception {
    return DocumentBuilderFactory.newInstance()
        .newDocumentBuilder()
        .parse(new ByteArrayInputStream(svg.getBytes(StandardCharsets.UTF_8)));
  }

  /** The places of the labels of an axis, by label. */
  private static Map<String, double[]> labels(Document svg) {
    Map<String, double[]> places = new TreeMap<>();
    NodeList texts = svg.getElementsByTagName("text");
    for (int i = 0; i < texts.getLength(); i++) {
      Element text = (Element) texts.item(i);
      places.put(
          text.getTextContent(),
          new double[] {
            Double.parseDouble(text.getAttribute("x")), Double.parseDouble(text.getAttribute("y"))
          });
    }
    return places;
  }

  @Test
  void pointsAreWhereTheLabelsSay() throws Exception {
    Document svg = parsed(new ChartDrawing(chart(line("ours", 0.1))).svg());
    Map<String, double[]> labels = labels(svg);
    for (int power = 0; power <= 10; power++) {
      String label = power == 10 ? "1 GiB" : (1 << power) + " MiB";
      assertTrue(labels.containsKey(label), label + " is not labelled: " + labels.keySet());
    }
    double octave = (labels.get("1 GiB")[0] - labels.get("1 MiB")[0]) / 10;
    double decade = labels.get("1")[1] - labels.get("10")[1];
    Element series = (Element) svg.getElementsByTagName("g").item(0);
    NodeList lines = series.getElementsByTagName("polyline");
    // Three for each interval, and then the line through all six points.
    assertEquals(6 * 3 + 1, lines.getLength());
    String[] points = ((Element) lines.item(18)).getAttribute("points").split(" ");
    assertEquals(6, points.length);
    for (int i = 0; i < points.length; i++) {
      String[] place = points[i].split(",");
      double ms = 0.1 * Math.pow(4, i);
      assertEquals(labels.get("1 MiB")[0] + 2 * i * octave, Double.parseDouble(place[0]), 0.1);
      // A label's baseline is a little below the line that it names.
      assertEquals(
          labels.get("1")[1] - Math.log10(ms) * decade, Double.parseDouble(place[1]) + 4.5, 0.1);
    }
    String[] interval = ((Element) lines.item(0)).getAttribute("points").split("[ ,]");
    assertEquals(
        decade * Math.log10(1.2 / 0.9),
        Double.parseDouble(interval[1]) - Double.parseDouble(interval[3]),
        0.1);
  }

  @Test
  void textIsTextInSvgAndPdf() throws Exception {
    Chart chart = chart(line("ForkPrepare, µs \u2192 \uD83D\uDE00", 0.1));
    Document svg = parsed(new ChartDrawing(chart).svg());
    assertTrue(labels(svg).containsKey("Prepare <&>"));
    assertEquals("Medians.", svg.getElementsByTagName("desc").item(0).getTextContent());
    try (PDDocument pdf = Loader.loadPDF(new ChartDrawing(chart).pdf())) {
      assertEquals(1, pdf.getNumberOfPages());
      String text = new PDFTextStripper().getText(pdf);
      for (String part : List.of("Prepare <&>", "working set", "512 MiB", "ForkPrepare, µs")) {
        assertTrue(text.contains(part), part + " is not in " + text);
      }
      PDResources resources = pdf.getPage(0).getResources();
      resources
          .getFontNames()
          .forEach(
              name -> {
                try {
                  assertTrue(resources.getFont(name).isEmbedded(), name.getName());
                } catch (IOException e) {
                  throw new UncheckedIOException(e);
                }
              });
      assertFalse(resources.getXObjectNames().iterator().hasNext(), "must have no image");
      assertEquals("Prepare <&>", pdf.getDocumentInformation().getTitle());
    }
  }

  @Test
  void theThreeFormatsShowTheSame() throws Exception {
    ChartDrawing drawing = new ChartDrawing(chart(line("ours", 0.1)));
    BufferedImage png = ImageIO.read(new ByteArrayInputStream(drawing.png()));
    assertEquals(PixelCanvas.SCALE * ChartDrawing.WIDTH, png.getWidth());
    BufferedImage pdf;
    try (PDDocument document = Loader.loadPDF(drawing.pdf())) {
      float width = document.getPage(0).getMediaBox().getWidth();
      pdf = new PDFRenderer(document).renderImage(0, png.getWidth() / width);
    }
    int blue = Look.of(0).rgb();
    int[] expected = bounds(png, blue);
    int[] found = bounds(pdf, blue);
    for (int side = 0; side < expected.length; side++) {
      assertEquals(expected[side], found[side], 4, "side " + side);
    }
  }

  /** Left, top, right and bottom of what has a colour. */
  private static int[] bounds(BufferedImage image, int rgb) {
    int[] bounds = {image.getWidth(), image.getHeight(), 0, 0};
    for (int y = 0; y < image.getHeight(); y++) {
      for (int x = 0; x < image.getWidth(); x++) {
        if ((image.getRGB(x, y) & 0xFFFFFF) == rgb) {
          bounds[0] = Math.min(bounds[0], x);
          bounds[1] = Math.min(bounds[1], y);
          bounds[2] = Math.max(bounds[2], x);
          bounds[3] = Math.max(bounds[3], y);
        }
      }
    }
    return bounds;
  }

  @Test
  void manySeriesDiffer() {
    Set<Look> all = new HashSet<>();
    Set<List<Integer>> grey = new HashSet<>();
    for (int i = 0; i < 30; i++) {
      all.add(Look.of(i));
      grey.add(List.of(Look.of(i).marker(), Look.of(i).dash()));
      assertNotEquals(Look.PUBLISHED.marker(), Look.of(i).marker());
    }
    assertEquals(30, all.size());
    assertEquals(30, grey.size());
    for (int i = 0; i < 120; i++) {
      all.add(Look.of(i));
    }
    assertEquals(120, all.size());
    assertEquals(Look.of(3, 0).rgb(), Look.of(3, 1).rgb());
    assertNotEquals(Look.of(3, 0), Look.of(3, 1));
  }

  @Test
  void nothingAndOnePointCanBeDrawn() throws Exception {
    for (Scale scale : Scale.values()) {
      Axis axis =
          scale == Scale.CATEGORIES ? Axis.ofCategories("", List.of("a")) : Axis.of("", scale);
      Axis y = Axis.of("", scale == Scale.LINEAR ? Scale.LINEAR : Scale.LOGARITHMIC);
      for (List<Chart.Point> points :
          List.of(List.<Chart.Point>of(), List.of(Chart.Point.of(0.5, 3)))) {
        Chart.Series series = new Chart.Series("s", Kind.LINE, Look.of(0), points);
        String svg = new ChartDrawing(new Chart("", "", axis, y, List.of(series))).svg();
        assertFalse(svg.contains("NaN") || svg.contains("∞"), scale + ": " + svg);
        parsed(svg);
      }
    }
  }
}
