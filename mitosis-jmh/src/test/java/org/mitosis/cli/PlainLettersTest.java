// SPDX-License-Identifier: Apache-2.0
package org.mitosis.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertSame;

import java.io.ByteArrayOutputStream;
import java.io.PrintStream;
import java.nio.charset.Charset;
import java.nio.charset.StandardCharsets;
import java.util.Locale;
import org.junit.jupiter.api.Test;

class PlainLettersTest {
  private final ByteArrayOutputStream bytes = new ByteArrayOutputStream();

  @Test
  void lettersThatAreMissingAreReplaced() {
    PrintStream plain = on(StandardCharsets.US_ASCII);
    plain.println("281 µs – 3 · 4 …");
    plain.printf(Locale.ROOT, "%.1f %s%n", 1.5, "µs");
    plain.print('x');
    plain.flush();
    assertEquals(
        "281 us - 3 . 4 ...\n1.5 us\nx".replace("\n", System.lineSeparator()),
        bytes.toString(StandardCharsets.US_ASCII));
  }

  @Test
  void otherLettersAreThoseOfTheCharacterSet() {
    PrintStream plain = on(StandardCharsets.ISO_8859_1); // has µ, but no dash
    plain.print("ä µ –");
    plain.flush();
    assertEquals("ä u -", bytes.toString(StandardCharsets.ISO_8859_1));
  }

  @Test
  void anOutputWithAllLettersStaysAsItIs() {
    PrintStream stream = new PrintStream(bytes, true, StandardCharsets.UTF_8);
    assertSame(stream, PlainLetters.on(stream, StandardCharsets.UTF_8));
  }

  private PrintStream on(Charset letters) {
    return PlainLetters.on(new PrintStream(bytes, true, letters), letters);
  }
}
