// SPDX-License-Identifier: Apache-2.0
package org.mitosis.crac;

/**
 * The process goes on, but resources failed in it. What they threw are its suppressed exceptions.
 */
public class RestoreException extends Exception {
  private static final long serialVersionUID = 1L;

  /** Without suppressed exceptions, yet. */
  public RestoreException() {}

  /** The same with a message. */
  public RestoreException(String message) {
    super(message);
  }
}
