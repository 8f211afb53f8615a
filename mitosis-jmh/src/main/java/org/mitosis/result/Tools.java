// SPDX-License-Identifier: Apache-2.0
package org.mitosis.result;

import java.util.Map;

/**
 * The programs and libraries that a run uses beside this one, and what its containers are made of.
 *
 * <p>A value that is not known is null.
 *
 * @param libc name and version of the C library
 * @param compiler of the native programs
 * @param python path and version
 * @param pythonPackages versions by name
 * @param criu path and version
 * @param lean what a lean container is made of here
 */
public record Tools(
    String libc,
    String compiler,
    String python,
    Map<String, String> pythonPackages,
    String criu,
    String lean) {
  /** A machine of which no tool was looked at. */
  public static final Tools UNKNOWN = new Tools(null, null, null, null, null, null);
}
