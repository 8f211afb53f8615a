/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The pages that a child with threads touches before its first own instruction: signal frames
 * and thread control blocks. Runs in shadows: no libc, no globals.
 */
#ifndef PAGING_FIRST_PAGES_H
#define PAGING_FIRST_PAGES_H

#include <stdint.h>

#include "paging/page_source.h"
#include "paging/recording.h"

/*
 * Makes a prefetch set of them, as far as it has room; empty for a snapshot with one thread, or
 * if another machine does not deliver them.
 */
void first_pages_find(struct recording *set, struct page_source *source,
		      uint64_t page_size);

#endif /* PAGING_FIRST_PAGES_H */
