// SPDX-License-Identifier: Apache-2.0
package org.mitosis.crac;

/** There is no snapshot. What the resources threw are its suppressed exceptions. */
public class CheckpointException extends Exception {
  private static final long serialVersionUID = 1L;

  /** Without suppressed exceptions, yet. */
  public CheckpointException() {}

  /** The same with a message. */
  public CheckpointException(String message) {
    super(message);
  }
}
