// SPDX-License-Identifier: Apache-2.0
package org.mitosis.report.chart;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.util.List;
import org.apache.pdfbox.pdmodel.PDDocument;
import org.apache.pdfbox.pdmodel.PDPage;
import org.apache.pdfbox.pdmodel.PDPageContentStream;
import org.apache.pdfbox.pdmodel.common.PDRectangle;
import org.apache.pdfbox.pdmodel.font.PDFont;
import org.apache.pdfbox.pdmodel.font.PDType0Font;
import org.apache.pdfbox.pdmodel.graphics.state.PDExtendedGraphicsState;
import org.apache.pdfbox.util.Matrix;

/** Writes a PDF of one page of the drawing's size, with its font in it. */
final class PdfCanvas implements Canvas {
  /** Points for each unit of a drawing: as wide as the text of a page of A4. */
  private static final float SCALE = 0.56f;

  private final PDDocument document = new PDDocument();
  private final PDFont font;
  private final PDPageContentStream page;

  PdfCanvas(String title, String description, double width, double height) throws IOException {
    // Else of the time: the same figures make the same file.
    document.setDocumentId(0L);
    document.getDocumentInformation().setTitle(title);
    document.getDocumentInformation().setSubject(description);
    PDPage sheet = new PDPage(new PDRectangle((float) width * SCALE, (float) height * SCALE));
    document.addPage(sheet);
    try (InputStream file = Typeface.file()) {
      font = PDType0Font.load(document, file, true);
    }
    page = new PDPageContentStream(document, sheet);
    page.transform(new Matrix(SCALE, 0, 0, -SCALE, 0, (float) height * SCALE));
    page.setLineJoinStyle(1);
  }

  byte[] finished() throws IOException {
    page.close();
    try (document) {
      ByteArrayOutputStream bytes = new ByteArrayOutputStream();
      document.save(bytes);
      return bytes.toByteArray();
    }
  }

  @Override
  public void line(List<double[]> points, int rgb, double width, List<Integer> dashes) {
    try {
      path(points);
      page.setStrokingColor(red(rgb), green(rgb), blue(rgb));
      page.setLineWidth((float) width);
      float[] pattern = new float[dashes.size()];
      for (int i = 0; i < pattern.length; i++) {
        pattern[i] = dashes.get(i);
      }
      page.setLineDashPattern(pattern, 0);
      page.stroke();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  @Override
  public void area(List<double[]> polygon, int rgb, double opacity) {
    try {
      page.saveGraphicsState();
      if (opacity < 1) {
        PDExtendedGraphicsState state = new PDExtendedGraphicsState();
        state.setNonStrokingAlphaConstant((float) opacity);
        page.setGraphicsStateParameters(state);
      }
      path(polygon);
      page.setNonStrokingColor(red(rgb), green(rgb), blue(rgb));
      page.closePath();
      page.fill();
      page.restoreGraphicsState();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  @Override
  public void text(String line, double x, double y, double size, Anchor anchor, double degrees) {
    try {
      String known = Typeface.regular().known(line);
      double width = Typeface.regular().width(known, size);
      double before = anchor == Anchor.START ? 0 : anchor == Anchor.MIDDLE ? width / 2 : width;
      double angle = Math.toRadians(degrees);
      float cos = (float) Math.cos(angle);
      float sin = (float) Math.sin(angle);
      page.beginText();
      page.setFont(font, (float) size);
      int rgb = Look.TEXT_COLOR;
      page.setNonStrokingColor(red(rgb), green(rgb), blue(rgb));
      // The page's vertical axis was turned over, and letters are turned back.
      page.setTextMatrix(
          new Matrix(cos, sin, sin, -cos, (float) (x - before * cos), (float) (y - before * sin)));
      page.showText(known);
      page.endText();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private void path(List<double[]> points) throws IOException {
    boolean first = true;
    for (double[] point : points) {
      if (first) {
        page.moveTo((float) point[0], (float) point[1]);
      } else {
        page.lineTo((float) point[0], (float) point[1]);
      }
      first = false;
    }
  }

  private static float red(int rgb) {
    return (rgb >> 16 & 0xFF) / 255f;
  }

  private static float green(int rgb) {
    return (rgb >> 8 & 0xFF) / 255f;
  }

  private static float blue(int rgb) {
    return (rgb & 0xFF) / 255f;
  }
}
