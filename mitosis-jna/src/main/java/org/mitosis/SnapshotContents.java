// SPDX-License-Identifier: Apache-2.0
package org.mitosis;

/**
 * What a snapshot consists of, as {@link Device#contents} returns it.
 *
 * @param threads of the parent, the one that prepared included
 * @param files open from number 3 on, without the library's own
 * @param mappings of memory
 * @param bytes of all mappings
 */
public record SnapshotContents(int threads, int files, int mappings, long bytes) {}
