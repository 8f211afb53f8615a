// SPDX-License-Identifier: Apache-2.0
package org.mitosis.function;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.time.LocalDateTime;
import java.util.Random;
import java.util.zip.ZipEntry;
import java.util.zip.ZipOutputStream;

/**
 * Packs a text of 150 kB into a ZIP archive: a backup or a download. Text and archive are in
 * memory, so that a child needs no file of its parent's machine.
 */
final class Compression implements JavaFunction {
  private static final int TEXT_BYTES = 150_000;
  private static final int WORDS = 2000;
  private static final int LONGEST_WORD = 9;

  /** With a date of its own, as the clock would make each archive another one. */
  private static final LocalDateTime DATE = LocalDateTime.of(2000, 1, 1, 0, 0);

  private final byte[] text = text();

  @Override
  public Object call() {
    ByteArrayOutputStream archive = new ByteArrayOutputStream();
    try (ZipOutputStream packed = new ZipOutputStream(archive)) {
      ZipEntry entry = new ZipEntry("directory/text.txt");
      entry.setTimeLocal(DATE);
      packed.putNextEntry(entry);
      packed.write(text);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    return archive.toByteArray();
  }

  private static byte[] text() {
    Random draw = new Random(2);
    String[] words = new String[WORDS];
    for (int i = 0; i < WORDS; i++) {
      StringBuilder word = new StringBuilder();
      for (int letters = 2 + draw.nextInt(LONGEST_WORD - 1); letters > 0; letters--) {
        word.append((char) ('a' + draw.nextInt(26)));
      }
      words[i] = word.toString();
    }
    StringBuilder text = new StringBuilder(TEXT_BYTES + LONGEST_WORD + 1);
    while (text.length() < TEXT_BYTES) {
      text.append(words[draw.nextInt(WORDS)]).append(' ');
    }
    return text.substring(0, TEXT_BYTES).getBytes(StandardCharsets.US_ASCII);
  }
}
