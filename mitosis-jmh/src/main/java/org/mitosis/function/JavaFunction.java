// SPDX-License-Identifier: Apache-2.0
package org.mitosis.function;

import java.util.Objects;

/** What a serverless system would call: the same input each time, and so the same result. */
@FunctionalInterface
public interface JavaFunction {
  /**
   * Calls it.
   *
   * @return a value that is compared by its content, which may be an array
   */
  Object call();

  /** Whether two results are the same by value. */
  static boolean same(Object one, Object other) {
    return Objects.deepEquals(one, other);
  }
}
