/* SPDX-License-Identifier: Apache-2.0 */
/* What madvise(2) has set for the VMAs of the calling process. Runs in shadows. */
#ifndef LIB_VMA_FLAGS_H
#define LIB_VMA_FLAGS_H

#include <stdbool.h>
#include <stdint.h>

#include "proto/descriptor.h"

/*
 * Sets the flags of `count` VMAs of this process, which ascend; those that fork wipes
 * become VMA_EMPTY, and those that a userfaultfd serves VMA_SNAPSHOT: *served is set if there is one. `exact`: a VMA of kind VMA_SNAPSHOT has pages of its own, and one
 * of kind VMA_EMPTY has none. Returns 0 or -errno.
 *
 * Only /proc/PID/smaps has these flags, and reading it walks all pages (about 40 ns
 * each). So with many pages, and if `exact`, a forked process reads its own smaps,
 * which this process has given the VMAs but no pages of VMA_SNAPSHOT.
 */
int vma_flags_read(struct descriptor_vma *vmas, uint32_t count, bool exact,
		   bool *served);

#endif /* LIB_VMA_FLAGS_H */
