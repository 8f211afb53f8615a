// SPDX-License-Identifier: Apache-2.0
#define _GNU_SOURCE
#include "paging/recording.h"

#include <sys/mman.h>

#include "paging/page_source.h"
#include "paging/raw_clock.h"
#include "paging/raw_syscall.h"

/* Limit of a recording, in ms. */
#define RECORDING_MAX_MS 200

void recording_begin(struct recording *r, uint32_t capacity)
{
	r->capacity = capacity;
	r->state = RECORDING_ON;
	r->end_ms = raw_now_ms() + RECORDING_MAX_MS;
}

bool recording_is_late(const struct recording *r)
{
	return recording_is_on(r) && raw_now_ms() >= r->end_ms;
}

/* Shell's sort with gaps of powers of two. */
void recording_sort(uint64_t *pages, uint32_t count)
{
	uint32_t gap, i, at;

	for (gap = 1; gap < count; gap *= 2)
		;
	for (gap /= 2; gap; gap /= 2)
		for (i = gap; i < count; i++) {
			uint64_t page = pages[i];

			for (at = i; at >= gap && pages[at - gap] > page; at -= gap)
				pages[at] = pages[at - gap];
			pages[at] = page;
		}
}

void recording_copy(struct recording *r, struct page_source *source,
		    uint64_t page_size)
{
	long p;

	if (!source->remote || !r->count)
		return;
	p = raw_syscall(SYS_mmap, RAW_MAP_HINT(RAW_MAP_RECORDING),
			r->count * page_size, PROT_READ | PROT_WRITE,
			MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	r->copies = p < 0 && p > -4096 ? NULL : (char *)p;
	if (!r->copies || source->read_many(source, r->pages, r->count, r->copies))
		r->count = 0;
}

void recording_end(struct recording *r, struct page_source *source,
		   uint64_t page_size)
{
	bool touched = r->count;
	uint32_t i;

	for (i = 0; i < r->count; i += PREFETCH_BATCH)
		recording_sort(r->pages + i, r->count - i < PREFETCH_BATCH
						     ? r->count - i
						     : PREFETCH_BATCH);
	/* While it is on: a remote source still has the pages then. */
	recording_copy(r, source, page_size);
	r->state = touched ? RECORDING_OVER : RECORDING_NOT_BEGUN;
	if (source->forget)
		source->forget(source);
}
