// SPDX-License-Identifier: Apache-2.0
package org.mitosis.function;

import java.awt.image.BufferedImage;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import javax.imageio.ImageIO;

/** Turns a picture of 320 by 240 pixels into a preview of half that size, as PNG. */
final class Image implements JavaFunction {
  private static final int WIDTH = 320;
  private static final int HEIGHT = 240;

  private final BufferedImage picture =
      new BufferedImage(WIDTH, HEIGHT, BufferedImage.TYPE_INT_RGB);

  Image() {
    ImageIO.setUseCache(false); // A child must not need a file of its parent's machine.
    for (int y = 0; y < HEIGHT; y++) {
      for (int x = 0; x < WIDTH; x++) {
        picture.setRGB(x, y, (x * y) ^ (x << 16) ^ (y << 8));
      }
    }
  }

  @Override
  public Object call() {
    BufferedImage preview = new BufferedImage(WIDTH / 2, HEIGHT / 2, BufferedImage.TYPE_INT_RGB);
    for (int y = 0; y < HEIGHT / 2; y++) {
      for (int x = 0; x < WIDTH / 2; x++) {
        preview.setRGB(x, y, mean(2 * x, 2 * y));
      }
    }
    ByteArrayOutputStream png = new ByteArrayOutputStream();
    try {
      if (!ImageIO.write(preview, "png", png)) {
        throw new IllegalStateException("this JDK has no writer of PNG images");
      }
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    return png.toByteArray();
  }

  /** The mean color of four pixels. */
  private int mean(int x, int y) {
    int mean = 0;
    for (int shift = 0; shift < 24; shift += 8) {
      int sum = 0;
      for (int i = 0; i < 4; i++) {
        sum += picture.getRGB(x + i % 2, y + i / 2) >> shift & 0xff;
      }
      mean |= sum / 4 << shift;
    }
    return mean;
  }
}
