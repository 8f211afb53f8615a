// SPDX-License-Identifier: Apache-2.0
package org.mitosis.cluster;

import java.nio.charset.StandardCharsets;

/**
 * The beginning of what a machine has printed before it answered, for messages: what its login
 * scripts print, or what they ask for.
 */
final class LoginNoise {
  private static final int KEPT = 200;

  private final byte[] bytes = new byte[KEPT];
  private int count;

  /** Takes a byte, from the one thread that reads. */
  synchronized void add(int b) {
    if (count < KEPT) {
      bytes[count++] = (byte) b;
    }
  }

  /** What comes from now on is the machine's answer. */
  synchronized void forget() {
    count = 0;
  }

  /** A clause that quotes it; empty if nothing was printed. */
  synchronized String quoted() {
    String text = printable(new String(bytes, 0, count, StandardCharsets.UTF_8)).strip();
    return text.isEmpty() ? "" : "; a login script there has printed '" + text + "'";
  }

  /** A text with a question mark for each character that a terminal would act upon. */
  static String printable(String text) {
    StringBuilder shown = new StringBuilder();
    text.codePoints().forEach(c -> shown.appendCodePoint(Character.isISOControl(c) ? '?' : c));
    return shown.toString();
  }
}
