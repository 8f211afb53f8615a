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
#define PAGE_IS_PRESENT	(1 << 3)
#define PAGE_IS_SWAPPED	(1 << 4)

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

/* Bits of one entry: Documentation/admin-guide/mm/pagemap.rst. */
#define ENTRY_FILE_OR_SHARED	(1ull << 61)
#define ENTRY_SWAPPED		(1ull << 62)
#define ENTRY_PRESENT		(1ull << 63)

#define ENTRIES_AT_ONCE	512u

static int scan(int pagemap, uint64_t start, uint64_t end)
{
	struct page_region found;
	struct pm_scan_arg arg = {
		.size = sizeof(arg),
		.start = start,
		.end = end,
		.vec = (uintptr_t)&found,
		.vec_len = 1,
		.max_pages = 1,
		.category_inverted = PAGE_IS_FILE,
		.category_mask = PAGE_IS_FILE,
		.category_anyof_mask = PAGE_IS_PRESENT | PAGE_IS_SWAPPED,
		.return_mask = PAGE_IS_PRESENT,
	};
	long n = raw_syscall(SYS_ioctl, pagemap, PAGEMAP_SCAN, &arg);

	return n < 0 ? n : n > 0;
}

static int read_entries(int pagemap, uint64_t start, uint64_t end,
			uint64_t page_size)
{
	uint64_t entries[ENTRIES_AT_ONCE];

	while (start < end) {
		uint64_t pages = (end - start) / page_size;
		long i, n;

		if (pages > ENTRIES_AT_ONCE)
			pages = ENTRIES_AT_ONCE;
		n = raw_syscall(SYS_pread64, pagemap, entries,
				pages * sizeof(entries[0]),
				start / page_size * sizeof(entries[0]));
		if (n <= 0)
			return n ? n : -EIO;
		n /= sizeof(entries[0]);
		for (i = 0; i < n; i++)
			if ((entries[i] & (ENTRY_PRESENT | ENTRY_SWAPPED)) &&
			    !(entries[i] & ENTRY_FILE_OR_SHARED))
				return 1;
		start += n * page_size;
	}
	return 0;
}

int pagemap_has_private(int pagemap, uint64_t start, uint64_t end,
			uint64_t page_size)
{
	int found = scan(pagemap, start, end);

	if (found == -ENOTTY || found == -EINVAL)
		return read_entries(pagemap, start, end, page_size);
	return found;
}

static int scan_present(int pagemap, uint64_t *start, uint64_t *end)
{
	struct page_region found;
	struct pm_scan_arg arg = {
		.size = sizeof(arg),
		.start = *start,
		.end = *end,
		.vec = (uintptr_t)&found,
		.vec_len = 1,
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

static int read_present(int pagemap, uint64_t *start, uint64_t *end,
			uint64_t page_size)
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
			bool present = entries[i] & (ENTRY_PRESENT | ENTRY_SWAPPED);

			if (present && !inside)
				*start = at;
			if (!present && inside) {
				*end = at;
				return 0;
			}
			inside = present;
		}
	}
	return inside ? 0 : -ENOENT;
}

int pagemap_next_present(int pagemap, uint64_t *start, uint64_t *end,
			 uint64_t page_size)
{
	int err = scan_present(pagemap, start, end);

	if (err == -ENOTTY || err == -EINVAL)
		return read_present(pagemap, start, end, page_size);
	return err;
}
