// SPDX-License-Identifier: Apache-2.0
package org.mitosis;

/**
 * The times at which a child finished each step of its resume, by {@link System#nanoTime} of the
 * child, in ns; 0 if not known: on the kernel module, and for children that their snapshot forks.
 *
 * @param descriptorNs the descriptor was received; once for all children of a launcher
 * @param bornNs its process was made, in its own namespaces if it has any
 * @param filesNs its open files were made
 * @param mappedNs its memory was mapped; in mode eager also filled
 * @param goNs its threads were made, and continued
 */
public record ResumeTimes(long descriptorNs, long bornNs, long filesNs, long mappedNs, long goNs) {
  /** Nothing is known. */
  public static final ResumeTimes UNKNOWN = new ResumeTimes(0, 0, 0, 0, 0);
}
