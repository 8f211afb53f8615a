// SPDX-License-Identifier: Apache-2.0
package org.mitosis;

/**
 * When a child came how far before its program went on, by {@link System#nanoTime} of the child, in
 * ns; 0 where that is not known: of the kernel module, and of children that their snapshot forks.
 *
 * @param descriptorNs what describes its snapshot was there; once for all children of a launcher
 * @param bornNs its process was there, in its own namespaces if it has any
 * @param filesNs its open files were made
 * @param mappedNs its memory was mapped; if it gets all pages at once, they were there
 * @param goNs its threads were made, and went on
 */
public record ResumeTimes(long descriptorNs, long bornNs, long filesNs, long mappedNs, long goNs) {
  /** Nothing is known. */
  public static final ResumeTimes UNKNOWN = new ResumeTimes(0, 0, 0, 0, 0);
}
