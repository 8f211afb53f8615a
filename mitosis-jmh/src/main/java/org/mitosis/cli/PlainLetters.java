// SPDX-License-Identifier: Apache-2.0
package org.mitosis.cli;

import java.io.FilterOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.io.PrintStream;
import java.nio.charset.Charset;
import java.nio.charset.IllegalCharsetNameException;
import java.nio.charset.StandardCharsets;
import java.nio.charset.UnsupportedCharsetException;
import java.util.Map;

/**
 * Writes text in UTF-8 in the character set of a standard output that lacks some of our letters, as
 * with LANG=C: {@code us} where Java itself would print {@code ?s}.
 */
final class PlainLetters extends FilterOutputStream {
  private static final Map<String, String> PLAIN =
      Map.of("µ", "u", "–", "-", "·", ".", "…", "...", "°", " deg ");

  private final Charset letters;

  private PlainLetters(OutputStream out, Charset letters) {
    super(out);
    this.letters = letters;
  }

  /** The same stream, or one in front of it if our letters are not in the character set. */
  static PrintStream on(PrintStream stream, Charset letters) {
    return PLAIN.keySet().stream().allMatch(letters.newEncoder()::canEncode)
        ? stream
        : new PrintStream(new PlainLetters(stream, letters), true, StandardCharsets.UTF_8);
  }

  /** The character set of a standard stream, {@code stdout} or {@code stderr}. */
  static Charset of(String stream) {
    String name = System.getProperty(stream + ".encoding"); // since Java 19
    try {
      return name == null ? Charset.defaultCharset() : Charset.forName(name);
    } catch (IllegalCharsetNameException | UnsupportedCharsetException e) {
      return Charset.defaultCharset();
    }
  }

  /** A print stream writes whole characters. */
  @Override
  public void write(byte[] bytes, int from, int length) throws IOException {
    String text = new String(bytes, from, length, StandardCharsets.UTF_8);
    for (Map.Entry<String, String> letter : PLAIN.entrySet()) {
      text = text.replace(letter.getKey(), letter.getValue());
    }
    out.write(text.getBytes(letters));
  }

  @Override
  public void write(int one) throws IOException {
    write(new byte[] {(byte) one}, 0, 1);
  }
}
