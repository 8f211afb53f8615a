// SPDX-License-Identifier: Apache-2.0
package org.mitosis.function;

/** Finds a word in a text: the least that a function can do. */
final class HelloWorld implements JavaFunction {
  private static final String TEXT =
      "remote fork makes a new process out of one that runs elsewhere: hello, world";

  @Override
  public Object call() {
    return TEXT.indexOf("hello, world");
  }
}
