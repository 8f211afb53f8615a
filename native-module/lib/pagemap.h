/* SPDX-License-Identifier: Apache-2.0 */
/* Which pages of this process are its own: /proc/self/pagemap without libc. */
#ifndef LIB_PAGEMAP_H
#define LIB_PAGEMAP_H

#include <stdint.h>

/*
 * 1 if the range holds a page that is present or swapped and is not its
 * file's, 0 if not, -errno if it cannot be told. Costs O(pages) before Linux
 * 6.7, which brought PAGEMAP_SCAN.
 */
int pagemap_has_private(int pagemap, uint64_t start, uint64_t end,
			uint64_t page_size);

/*
 * Narrows [*start, *end) to its first run of pages that are present or
 * swapped. Returns 0, -ENOENT if there is none, or -errno.
 */
int pagemap_next_present(int pagemap, uint64_t *start, uint64_t *end,
			 uint64_t page_size);

#endif /* LIB_PAGEMAP_H */
