// SPDX-License-Identifier: Apache-2.0
package org.mitosis;

/**
 * Which process returns from {@link Device#prepare}. The call returns once in the parent, and once
 * more in each child of the snapshot.
 */
public enum ForkRole {
  /** The process that called. */
  PARENT,
  /** A child of the snapshot: another process with the parent's memory. */
  CHILD
}
