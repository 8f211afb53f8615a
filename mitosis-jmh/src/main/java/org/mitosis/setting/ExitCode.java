// SPDX-License-Identifier: Apache-2.0
package org.mitosis.setting;

/** How a command line ends; what a signal ends has 128 and its number. */
public enum ExitCode {
  /** All was done. */
  DONE(0, "all was done"),

  /** Something was not done. */
  FAILED(
      1,
      "something was not done: a benchmark failed, a file cannot be read or written, a comparison"
          + " was refused; what could be done is kept"),

  /** Nothing was done, because of the command line. */
  WRONG_ARGUMENTS(
      2,
      "nothing was done: there is no such command, benchmark, option, parameter or setting, or a value"
          + " is invalid"),

  /** Nothing was done, because of this machine. */
  NOT_HERE(
      3,
      "nothing was done: this machine lacks a right, a program, a backend or memory, or measures"
          + " something else now"),

  /** A comparison found what it should warn of. */
  WORSE(4, "compare --fail-above: a figure is worse by more than that");

  private final int number;
  private final String meaning;

  ExitCode(int number, String meaning) {
    this.number = number;
    this.meaning = meaning;
  }

  /** What the process ends with. */
  public int number() {
    return number;
  }

  /** What the help text says of it. */
  public String meaning() {
    return meaning;
  }

  /** The one of two that tells more of a failure. */
  public ExitCode or(ExitCode other) {
    return compareTo(other) >= 0 ? this : other;
  }
}
