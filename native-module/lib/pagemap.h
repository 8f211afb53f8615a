/* SPDX-License-Identifier: Apache-2.0 */
/* Reads /proc/self/pagemap, without libc. */
#ifndef LIB_PAGEMAP_H
#define LIB_PAGEMAP_H

#include <stdint.h>

/*
 * Returns 1 if the range has a page that is present or swapped and not the
 * file's, 0 if not, or -errno. Takes O(pages) before Linux 6.7, which added
 * PAGEMAP_SCAN.
 */
int pagemap_has_private(int pagemap, uint64_t start, uint64_t end,
			uint64_t page_size);

/*
 * Narrows [*start, *end) to its first run of pages that are present or
 * swapped. Returns 0, -ENOENT if there is none, or -errno.
 */
int pagemap_next_present(int pagemap, uint64_t *start, uint64_t *end,
			 uint64_t page_size);

/* Bits of an entry of /proc/PID/pagemap: Documentation/admin-guide/mm/pagemap.rst. */
#define PAGEMAP_OF_FILE (1ull << 61) /* or shared: no page of the process's own */
#define PAGEMAP_SWAPPED (1ull << 62)
#define PAGEMAP_PRESENT (1ull << 63)

#endif /* LIB_PAGEMAP_H */
