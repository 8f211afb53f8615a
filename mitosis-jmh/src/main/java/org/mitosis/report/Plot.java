// SPDX-License-Identifier: Apache-2.0
package org.mitosis.report;

import java.awt.Color;
import java.awt.Dimension;
import java.awt.Graphics2D;
import java.awt.RenderingHints;
import java.awt.image.BufferedImage;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.StringWriter;
import java.io.UncheckedIOException;
import java.util.List;
import java.util.regex.Pattern;
import javax.imageio.ImageIO;
import javax.xml.parsers.DocumentBuilderFactory;
import javax.xml.parsers.ParserConfigurationException;
import org.apache.batik.svggen.SVGGeneratorContext;
import org.apache.batik.svggen.SVGGraphics2D;
import org.knowm.xchart.internal.chartpart.Chart;
import org.knowm.xchart.internal.series.Series;
import org.w3c.dom.Document;
import org.w3c.dom.Element;

/**
 * A drawing.
 *
 * @param section its section in the report
 * @param name of its files, without an ending
 * @param title what it shows
 * @param note a remark below the title; may be empty
 * @param chart the drawing itself
 */
record Plot(String section, String name, String title, String note, Chart<?, ?> chart) {
  /** Pixels of a PNG for each unit of the drawing: sharp on paper and on fine screens. */
  private static final int PNG_SCALE = 2;

  private static final String SVG = "http://www.w3.org/2000/svg";
  private static final Pattern DOCTYPE = Pattern.compile("<!DOCTYPE[^>]*>\\s*");

  /** As SVG; text is drawn as outlines, and is repeated as text in its title and description. */
  String svg() {
    SVGGeneratorContext context = SVGGeneratorContext.createDefault(emptyDocument());
    context.setComment("");
    SVGGraphics2D graphics = new SVGGraphics2D(context, false);
    graphics.setSVGCanvasSize(new Dimension(chart.getWidth(), chart.getHeight()));
    paint(graphics);
    StringWriter text = new StringWriter();
    try {
      Element root = graphics.getRoot();
      root.setAttributeNS(null, "viewBox", "0 0 " + chart.getWidth() + " " + chart.getHeight());
      root.insertBefore(element(root, "desc", String.join("; ", lines())), root.getFirstChild());
      root.insertBefore(element(root, "title", title), root.getFirstChild());
      graphics.stream(root, text, true, false);
    } catch (IOException e) {
      throw new UncheckedIOException(title, e);
    }
    // Readers must not load the document type from the web.
    return DOCTYPE.matcher(text.toString()).replaceFirst("");
  }

  /** The names in the legend. */
  private List<String> lines() {
    return chart.getSeriesCollection().stream()
        .filter(Series::isShowInLegend)
        .map(Series::getName)
        .toList();
  }

  private static Element element(Element root, String name, String text) {
    Element element = root.getOwnerDocument().createElementNS(SVG, name);
    element.setTextContent(text);
    return element;
  }

  private static Document emptyDocument() {
    try {
      return DocumentBuilderFactory.newInstance()
          .newDocumentBuilder()
          .getDOMImplementation()
          .createDocument(SVG, "svg", null);
    } catch (ParserConfigurationException e) {
      throw new IllegalStateException("every JDK has an XML parser", e);
    }
  }

  /** As PNG. */
  byte[] png() {
    BufferedImage image =
        new BufferedImage(
            chart.getWidth() * PNG_SCALE,
            chart.getHeight() * PNG_SCALE,
            BufferedImage.TYPE_3BYTE_BGR);
    Graphics2D graphics = image.createGraphics();
    graphics.setColor(Color.WHITE);
    graphics.fillRect(0, 0, image.getWidth(), image.getHeight());
    graphics.scale(PNG_SCALE, PNG_SCALE);
    graphics.setRenderingHint(RenderingHints.KEY_ANTIALIASING, RenderingHints.VALUE_ANTIALIAS_ON);
    paint(graphics);
    graphics.dispose();
    ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    try {
      ImageIO.write(image, "png", bytes);
    } catch (IOException e) {
      throw new UncheckedIOException(title, e);
    }
    return bytes.toByteArray();
  }

  private void paint(Graphics2D graphics) {
    chart.paint(graphics, chart.getWidth(), chart.getHeight());
  }
}
