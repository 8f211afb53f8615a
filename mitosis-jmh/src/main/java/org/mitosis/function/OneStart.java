// SPDX-License-Identifier: Apache-2.0
package org.mitosis.function;

import java.io.IOException;

/**
 * A fresh start of a function: makes it, calls it, reports when it had its last result, and ends.
 */
public final class OneStart {
  private OneStart() {}

  /**
   * Runs it.
   *
   * @param arguments the function's name, how many calls, and how many threads
   * @throws IOException if there is no descriptor to report to
   */
  public static void main(String[] arguments) throws IOException {
    JavaFunction function = Catalogue.of(arguments[0]);
    int calls = Integer.parseInt(arguments[1]);
    WaitingThreads.start(Integer.parseInt(arguments[2]) - 1);
    long before = System.nanoTime();
    Object first = function.call();
    Object last = first;
    for (int i = 1; i < calls; i++) {
      last = function.call();
    }
    long after = System.nanoTime();
    boolean right = JavaFunction.same(first, last);
    ChildReport.now().send(before, after - before, after, right);
    if (!right) {
      System.exit(1);
    }
  }
}
