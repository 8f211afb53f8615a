// SPDX-License-Identifier: Apache-2.0
package org.mitosis.setting;

/** The names of benchmark parameters by which results are grouped, too. */
public final class ParameterNames {
  /** The size of a working set, in bytes. */
  public static final String MEMORY_SIZE = "memorySize";

  /** The name of a function. */
  public static final String FUNCTION_NAME = "functionName";

  private ParameterNames() {}
}
