// SPDX-License-Identifier: Apache-2.0
package org.mitosis.setting;

import java.util.List;

/** The names of benchmark parameters by which results are grouped, too. */
public final class ParameterNames {
  /** The size of a working set, in bytes. */
  public static final String MEMORY_SIZE = "memorySize";

  /** The name of a function. */
  public static final String FUNCTION_NAME = "functionName";

  /** The name of a function in Java. */
  public static final String JAVA_FUNCTION = "javaFunction";

  /**
   * The parameters whose values are in the first column of tables, as in the MITOSIS artifact's.
   */
  public static final List<String> TRACE = List.of(MEMORY_SIZE, FUNCTION_NAME, JAVA_FUNCTION);

  private ParameterNames() {}
}
