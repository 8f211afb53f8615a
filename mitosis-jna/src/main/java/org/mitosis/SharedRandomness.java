// SPDX-License-Identifier: Apache-2.0
package org.mitosis;

import java.nio.ByteBuffer;
import java.security.NoSuchAlgorithmException;
import java.security.SecureRandom;
import java.util.ArrayList;
import java.util.List;

/**
 * The random number generators that the whole JVM shares, and that would go on alike in every
 * child: those behind {@code new SecureRandom()} and {@code SecureRandom.getInstanceStrong()} on
 * Linux. They mix what they read from the kernel, up to 100 ms earlier, with a state of their own.
 */
final class SharedRandomness {
  /** Each has one state in the process, whatever objects there are. */
  private static final List<String> ALGORITHMS =
      List.of("NativePRNG", "NativePRNGBlocking", "NativePRNGNonBlocking");

  private static List<SecureRandom> generators;

  private SharedRandomness() {}

  /** Loads in the parent what a child needs. The caller holds the lock of the hooks. */
  static void warmUp() {
    if (generators == null) {
      List<SecureRandom> found = new ArrayList<>();
      for (String algorithm : ALGORITHMS) {
        try {
          found.add(SecureRandom.getInstance(algorithm));
        } catch (NoSuchAlgorithmException e) {
          continue; // switched off in java.security: not in use
        }
      }
      byte[] nothing = new byte[Child.SEED_BYTES + 2 * Long.BYTES];
      found.forEach(generator -> generator.setSeed(nothing)); // adds to the seed, replaces nothing
      generators = found;
    }
  }

  static void reseed(Child child) {
    byte[] own =
        ByteBuffer.allocate(Child.SEED_BYTES + 2 * Long.BYTES)
            .put(child.seed())
            .putLong(child.id().getMostSignificantBits())
            .putLong(child.id().getLeastSignificantBits())
            .array();
    // No lambda, which each child would have to link anew.
    for (SecureRandom generator : generators) {
      generator.setSeed(own);
    }
  }
}
