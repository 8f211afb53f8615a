// SPDX-License-Identifier: Apache-2.0
package org.mitosis.posix;

import com.sun.jna.Native;
import com.sun.jna.NativeLibrary;
import java.nio.charset.StandardCharsets;
import java.util.HashMap;
import java.util.Map;

/**
 * What Java does not offer of the C library: this process's environment, from which libmitosis
 * takes its settings. {@link LibMitosis#load} comes before every other call, for JNA's own sake.
 */
public final class LibC {
  private static final Map<String, String> SET = new HashMap<>();

  private LibC() {}

  /**
   * Sets a variable for the C code of this process and for processes that C code starts; {@link
   * System#getenv} and {@link ProcessBuilder} do not see it. Does nothing if it has this value from
   * an earlier call: setenv(3) is not safe with other threads.
   */
  public static synchronized void setenv(String name, String value) {
    if (!value.equals(SET.put(name, value))) {
      Functions.setenv(text(name), text(value), 1);
    }
  }

  private static byte[] text(String value) {
    return (value + '\0').getBytes(StandardCharsets.UTF_8);
  }

  /** Bound on first use, when JNA knows where to unpack its library. */
  private static final class Functions {
    static {
      Native.register(Functions.class, NativeLibrary.getInstance("c"));
    }

    private Functions() {}

    static native int setenv(byte[] name, byte[] value, int overwrite);
  }
}
