// SPDX-License-Identifier: Apache-2.0
package org.mitosis.benchmark;

/** What {@link Baseline#jvmStart} starts: a program that does nothing. */
final class EmptyJvm {
  private EmptyJvm() {}

  /** Ends at once. */
  public static void main(String[] args) {
    // Nothing: the start and the end of the virtual machine are what is measured.
  }
}
