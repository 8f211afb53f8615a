// SPDX-License-Identifier: Apache-2.0
package org.mitosis.report.chart;

import java.awt.geom.AffineTransform;
import java.awt.geom.GeneralPath;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.util.HashMap;
import java.util.Map;
import org.apache.fontbox.ttf.CmapLookup;
import org.apache.fontbox.ttf.GlyphData;
import org.apache.fontbox.ttf.TTFParser;
import org.apache.fontbox.ttf.TrueTypeFont;
import org.apache.pdfbox.io.RandomAccessReadBuffer;
import org.apache.pdfbox.pdmodel.PDDocument;

/** Liberation Sans, which is as wide as Arial and Helvetica. */
final class Typeface {
  /** For viewers without it: fonts of the same widths first. */
  static final String FAMILY = "'Liberation Sans', Arimo, Arial, Helvetica, sans-serif";

  private static final String FILE = "/org/apache/pdfbox/resources/ttf/LiberationSans-Regular.ttf";
  private static final Typeface ONLY = new Typeface();

  /** A character's outline in units of the font, and its width. */
  private record Glyph(GeneralPath outline, double width) {}

  private final TrueTypeFont font;
  private final CmapLookup characters;
  private final double unitsPerEm;
  private final Map<Integer, Glyph> glyphs = new HashMap<>();

  private Typeface() {
    try (InputStream stream = file()) {
      font = new TTFParser().parse(new RandomAccessReadBuffer(stream));
      characters = font.getUnicodeCmapLookup();
      unitsPerEm = font.getUnitsPerEm();
    } catch (IOException e) {
      throw new UncheckedIOException(FILE, e);
    }
  }

  static Typeface regular() {
    return ONLY;
  }

  /** The font's file. */
  static InputStream file() {
    InputStream stream = PDDocument.class.getResourceAsStream(FILE);
    if (stream == null) {
      throw new IllegalStateException(FILE + " is missing in this jar: build it again");
    }
    return stream;
  }

  /** The text with a question mark for each character that the font lacks. */
  String known(String text) {
    StringBuilder known = new StringBuilder();
    text.codePoints()
        .map(one -> characters.getGlyphId(one) == 0 ? '?' : one)
        .forEach(known::appendCodePoint);
    return known.toString();
  }

  double width(String text, double size) {
    return known(text).codePoints().mapToDouble(one -> glyph(one).width()).sum()
        * size
        / unitsPerEm;
  }

  /** The outline of a text that begins at (0, 0), with the vertical axis downwards. */
  GeneralPath outline(String text, double size) {
    GeneralPath all = new GeneralPath();
    double scale = size / unitsPerEm;
    double[] x = {0};
    known(text)
        .codePoints()
        .forEach(
            one -> {
              Glyph glyph = glyph(one);
              AffineTransform at = new AffineTransform(scale, 0, 0, -scale, x[0], 0);
              all.append(glyph.outline().getPathIterator(at), false);
              x[0] += glyph.width() * scale;
            });
    return all;
  }

  /** One thread at a time: the font reads its file as it is asked. */
  private synchronized Glyph glyph(int character) {
    return glyphs.computeIfAbsent(
        character,
        key -> {
          try {
            int id = characters.getGlyphId(key);
            GlyphData data = font.getGlyph().getGlyph(id);
            return new Glyph(
                data == null ? new GeneralPath() : data.getPath(), font.getAdvanceWidth(id));
          } catch (IOException e) {
            throw new UncheckedIOException(FILE, e);
          }
        });
  }
}
