// SPDX-License-Identifier: Apache-2.0
package org.mitosis.cluster;

/** SIGHUP: the loss of the terminal must not end a run. */
final class Hangup {
  private Hangup() {}

  /**
   * Ignores SIGHUP from now on, as nohup does. Returns whether that was possible: not every JVM
   * lets a program handle signals. Uses reflection because javac warns of sun.misc.Signal wherever
   * it is named.
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
