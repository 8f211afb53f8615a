// SPDX-License-Identifier: Apache-2.0
package org.mitosis.posix;

import com.sun.jna.Memory;
import com.sun.jna.Native;
import com.sun.jna.NativeLibrary;
import com.sun.jna.Pointer;
import java.nio.charset.StandardCharsets;
import java.util.HashMap;
import java.util.Map;
import org.mitosis.Errno;

/**
 * What Java does not offer of the C library: this process's environment, from which libmitosis
 * takes its settings, and fork(2), which a prepare is compared with. {@link LibMitosis#load} comes
 * before every other call, for JNA's own sake.
 */
public final class LibC {
  private static final int SIGCHLD = 17;
  private static final int STACK_BYTES = 16384;
  private static final int STACK_ALIGNMENT = 64;
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

  /**
   * fork(2) of this process, whose child ends at once. The child executes no Java: a JVM cannot go
   * on with one of its threads.
   *
   * @return its process id, which {@link #reap} takes, or -errno
   */
  public static int forkAndEnd() {
    Pointer end = NativeLibrary.getInstance("c").getFunction("_exit");
    try (Memory stack = new Memory(STACK_BYTES)) {
      int pid =
          Functions.clone(
              end, stack.share(STACK_BYTES - STACK_ALIGNMENT), SIGCHLD, Pointer.createConstant(0));
      return pid < 0 ? -Native.getLastError() : pid;
    }
  }

  /**
   * Waits for the end of a child of {@link #forkAndEnd}.
   *
   * @return 0, or -errno
   */
  public static int reap(int pid) {
    while (Functions.waitpid(pid, Pointer.NULL, 0) < 0) {
      int errno = Native.getLastError();
      if (errno != Errno.EINTR) {
        return -errno;
      }
    }
    return 0;
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

    static native int clone(Pointer function, Pointer stackEnd, int flags, Pointer argument);

    static native int waitpid(int pid, Pointer status, int options);
  }
}
