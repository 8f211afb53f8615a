// SPDX-License-Identifier: Apache-2.0
package org.mitosis.cli;

import java.util.Collection;
import java.util.Comparator;
import java.util.Locale;
import java.util.Optional;
import org.apache.commons.text.similarity.LevenshteinDistance;

/** What a user may have meant by a name that does not exist. */
final class Spelling {
  /** So many characters of the longer name may have one that is wrong, missing or too much. */
  private static final int CHARACTERS_PER_SLIP = 3;

  private Spelling() {}

  /**
   * The known name that is nearest to the given one, without regard to upper and lower case; empty
   * if none is near.
   */
  static Optional<String> nearest(String given, Collection<String> known) {
    return known.stream()
        .filter(name -> distance(given, name) <= slips(given, name))
        .min(
            Comparator.<String>comparingInt(name -> distance(given, name))
                .thenComparing(Comparator.naturalOrder()));
  }

  /** Such as {@code " (did you mean 'compare'?)"}; empty if no known name is near. */
  static String hint(String given, Collection<String> known) {
    return nearest(given, known).map(name -> " (did you mean '" + name + "'?)").orElse("");
  }

  /** Of one letter nothing is left if it is wrong. */
  private static int slips(String one, String other) {
    int letters = one.replaceFirst("^-+", "").length();
    return Math.min(
        letters - 1, Math.max(1, Math.max(one.length(), other.length()) / CHARACTERS_PER_SLIP));
  }

  private static int distance(String one, String other) {
    return LevenshteinDistance.getDefaultInstance()
        .apply(one.toLowerCase(Locale.ROOT), other.toLowerCase(Locale.ROOT));
  }
}
