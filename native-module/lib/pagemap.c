// SPDX-License-Identifier: Apache-2.0
#define _GNU_SOURCE
#include "lib/pagemap.h"

#include <errno.h>
#include <stdbool.h>
#include <sys/ioctl.h>

#include "paging/raw_syscall.h"

/* From linux/fs.h of Linux 6.7, which the headers of Debian 12 do not have. */
#ifndef PAGEMAP_SCAN
#define PAGE_IS_FILE	(1 << 2)
#define PAGE_IS_PRESENT (1 << 3)
#define PAGE_IS_SWAPPED (1 << 4)
#define PAGE_IS_PFNZERO (1 << 5)

struct page_region {
	uint64_t start, end, categories;
};

struct pm_scan_arg {
	uint64_t size, flags, start, end, walk_end, vec, vec_len, max_pages;
	uint64_t category_inverted, category_mask, category_anyof_mask;
	uint64_t return_mask;
};

#define PAGEMAP_SCAN _IOWR('f', 16, struct pm_scan_arg)
#endif

#define ENTRIES_AT_ONCE 512u

static int scan(int pagemap, uint64_t *start, uint64_t *end, bool private)
{
	const uint64_t unwanted = PAGE_IS_PFNZERO | (private ? PAGE_IS_FILE : 0);
	struct page_region found;
	struct pm_scan_arg arg = {
		.size = sizeof(arg),
		.start = *start,
		.end = *end,
		.vec = (uintptr_t)&found,
		.vec_len = 1,
		.max_pages = private ? 1 : 0,
		/* The zero page of the kernel is as good as none. */
		.category_inverted = unwanted,
		.category_mask = unwanted,
		.category_anyof_mask = PAGE_IS_PRESENT | PAGE_IS_SWAPPED,
		.return_mask = PAGE_IS_PRESENT,
	};
	long n = raw_syscall(SYS_ioctl, pagemap, PAGEMAP_SCAN, &arg);

	if (n < 0)
		return n;
	if (n == 0)
		return -ENOENT;
	*start = found.start;
	*end = found.end;
	return 0;
}

static bool matches(uint64_t entry, bool private)
{
	return entry & (PAGEMAP_PRESENT | PAGEMAP_SWAPPED) &&
	       !(private && entry & PAGEMAP_OF_FILE);
}

static int read_entries(int pagemap, uint64_t *start, uint64_t *end,
			uint64_t page_size, bool private)
{
	uint64_t entries[ENTRIES_AT_ONCE];
	uint64_t at = *start, limit = *end;
	bool inside = false;

	while (at < limit) {
		uint64_t pages = (limit - at) / page_size;
		long i, n;

		if (pages > ENTRIES_AT_ONCE)
			pages = ENTRIES_AT_ONCE;
		n = raw_syscall(SYS_pread64, pagemap, entries,
				pages * sizeof(entries[0]),
				at / page_size * sizeof(entries[0]));
		if (n <= 0)
			return n ? n : -EIO;
		n /= sizeof(entries[0]);
		for (i = 0; i < n; i++, at += page_size) {
			bool match = matches(entries[i], private);

			if (match && !inside)
				*start = at;
			if (inside && (!match || private)) {
				*end = at;
				return 0;
			}
			inside = match;
		}
	}
	return inside ? 0 : -ENOENT;
}

/*
 * Narrows [*start, *end) to its first run of pages that are present or swapped;
 * if `private`, to the first such page that is not its file's. Returns 0, -ENOENT
 * if there is none, or -errno.
 */
static int first_run(int pagemap, uint64_t *start, uint64_t *end, uint64_t page_size,
		     bool private)
{
	int err = scan(pagemap, start, end, private);

	if (err == -ENOTTY || err == -EINVAL)
		return read_entries(pagemap, start, end, page_size, private);
	return err;
}

int pagemap_has_private(int pagemap, uint64_t start, uint64_t end,
			uint64_t page_size)
{
	int err = first_run(pagemap, &start, &end, page_size, true);

	if (err == -ENOENT)
		return 0;
	return err ? err : 1;
}

int pagemap_next_present(int pagemap, uint64_t *start, uint64_t *end,
			 uint64_t page_size)
{
	return first_run(pagemap, start, end, page_size, false);
}
