// SPDX-License-Identifier: Apache-2.0
package org.mitosis.cluster;

/** The loss of the terminal, which is no reason to end a run of hours. */
final class Hangup {
  private Hangup() {}

  /**
   * Ignores SIGHUP from now on, as nohup does. Returns whether that was possible: not every virtual
   * machine lets a program handle signals. The classes are of jdk.unsupported, and javac warns of
   * them wherever they are named.
   */
  static boolean ignore() {
    try {
      Class<?> signal = Class.forName("sun.misc.Signal");
      Class<?> handler = Class.forName("sun.misc.SignalHandler");
      signal
          .getMethod("handle", signal, handler)
          .invoke(
              null,
              signal.getConstructor(String.class).newInstance("HUP"),
              handler.getField("SIG_IGN").get(null));
      return true;
    } catch (ReflectiveOperationException | RuntimeException e) {
      return false;
    }
  }
}
