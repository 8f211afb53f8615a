// SPDX-License-Identifier: Apache-2.0
package org.mitosis.function;

import java.security.GeneralSecurityException;
import java.util.Random;
import javax.crypto.Cipher;
import javax.crypto.spec.IvParameterSpec;
import javax.crypto.spec.SecretKeySpec;

/** Encrypts 64 KiB with AES in counter mode by the JDK's own provider, as a gateway would. */
final class Aes implements JavaFunction {
  private static final int TEXT_BYTES = 1 << 16;
  private static final int KEY_BYTES = 16;

  private final byte[] key = new byte[KEY_BYTES];
  private final byte[] counter = new byte[KEY_BYTES];
  private final byte[] text = new byte[TEXT_BYTES];

  Aes() {
    Random draw = new Random(3);
    draw.nextBytes(key);
    draw.nextBytes(text);
  }

  @Override
  public Object call() {
    try {
      Cipher cipher = Cipher.getInstance("AES/CTR/NoPadding");
      cipher.init(Cipher.ENCRYPT_MODE, new SecretKeySpec(key, "AES"), new IvParameterSpec(counter));
      return cipher.doFinal(text);
    } catch (GeneralSecurityException e) {
      throw new IllegalStateException(e);
    }
  }
}
