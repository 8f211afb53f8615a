// SPDX-License-Identifier: Apache-2.0
package org.mitosis.report.chart;

import java.awt.BasicStroke;
import java.awt.Color;
import java.awt.Graphics2D;
import java.awt.RenderingHints;
import java.awt.geom.AffineTransform;
import java.awt.geom.GeneralPath;
import java.awt.image.BufferedImage;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.util.List;
import javax.imageio.ImageIO;

/** Draws a PNG. */
final class PixelCanvas implements Canvas {
  /** Pixels for each unit of the drawing: sharp on fine screens. */
  static final int SCALE = 2;

  private final BufferedImage image;
  private final Graphics2D graphics;

  PixelCanvas(double width, double height) {
    image =
        new BufferedImage(
            (int) Math.ceil(width * SCALE),
            (int) Math.ceil(height * SCALE),
            BufferedImage.TYPE_3BYTE_BGR);
    graphics = image.createGraphics();
    graphics.setColor(Color.WHITE);
    graphics.fillRect(0, 0, image.getWidth(), image.getHeight());
    graphics.scale(SCALE, SCALE);
    graphics.setRenderingHint(RenderingHints.KEY_ANTIALIASING, RenderingHints.VALUE_ANTIALIAS_ON);
    graphics.setRenderingHint(RenderingHints.KEY_STROKE_CONTROL, RenderingHints.VALUE_STROKE_PURE);
  }

  byte[] finished() throws IOException {
    graphics.dispose();
    ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    ImageIO.write(image, "png", bytes);
    return bytes.toByteArray();
  }

  @Override
  public void line(List<double[]> points, int rgb, double width, List<Integer> dashes) {
    float[] pattern = new float[dashes.size()];
    for (int i = 0; i < pattern.length; i++) {
      pattern[i] = dashes.get(i);
    }
    graphics.setStroke(
        new BasicStroke(
            (float) width,
            BasicStroke.CAP_BUTT,
            BasicStroke.JOIN_ROUND,
            1,
            pattern.length == 0 ? null : pattern,
            0));
    graphics.setColor(new Color(rgb));
    graphics.draw(path(points));
  }

  @Override
  public void area(List<double[]> polygon, int rgb, double opacity) {
    GeneralPath path = path(polygon);
    path.closePath();
    graphics.setColor(
        new Color(rgb >> 16 & 0xFF, rgb >> 8 & 0xFF, rgb & 0xFF, (int) Math.round(opacity * 255)));
    graphics.fill(path);
  }

  @Override
  public void text(String line, double x, double y, double size, Anchor anchor, double degrees) {
    double width = Typeface.regular().width(line, size);
    double before = anchor == Anchor.START ? 0 : anchor == Anchor.MIDDLE ? width / 2 : width;
    AffineTransform at = AffineTransform.getTranslateInstance(x, y);
    at.rotate(Math.toRadians(degrees));
    at.translate(-before, 0);
    graphics.setColor(new Color(Look.TEXT_COLOR));
    graphics.fill(at.createTransformedShape(Typeface.regular().outline(line, size)));
  }

  private static GeneralPath path(List<double[]> points) {
    GeneralPath path = new GeneralPath();
    for (double[] point : points) {
      if (path.getCurrentPoint() == null) {
        path.moveTo(point[0], point[1]);
      } else {
        path.lineTo(point[0], point[1]);
      }
    }
    return path;
  }
}
