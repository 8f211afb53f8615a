// SPDX-License-Identifier: Apache-2.0
package org.mitosis.spi;

import org.mitosis.Backend;
import org.mitosis.MitosisException;
import org.mitosis.Operation;

/** Describes a failed operation for its {@link MitosisException}. */
public final class Failure {
  private static final String PROBLEM_FROM_ADVICE = "; ";

  private Failure() {}

  /**
   * Starts the description.
   *
   * @param errno a positive number
   * @param message what the backend says of it, as "problem" or "problem; advice"; what is missing
   *     follows from the errno
   */
  public static MitosisException.Builder of(
      Backend backend, Operation operation, int errno, String message) {
    int end = message.indexOf(PROBLEM_FROM_ADVICE);
    String problem = end < 0 ? message : message.substring(0, end);
    String advice =
        end < 0
            ? Advice.of(backend, operation, errno)
            : message.substring(end + PROBLEM_FROM_ADVICE.length());
    return MitosisException.of(operation, errno).problem(problem).advice(advice);
  }
}
