// SPDX-License-Identifier: Apache-2.0
#define _GNU_SOURCE
#include "paging/recording.h"

#include <sys/mman.h>
#include <time.h>

#include "paging/page_source.h"
#include "paging/raw_syscall.h"

/* Limit of a recording, in ms. */
#define RECORDING_MAX_MS 200

static uint64_t now_ms(void)
{
	struct timespec t;

	raw_syscall(SYS_clock_gettime, CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1000ull + t.tv_nsec / 1000000;
}

void recording_begin(struct recording *r)
{
	r->state = RECORDING_ON;
	r->end_ms = now_ms() + RECORDING_MAX_MS;
}

bool recording_is_late(const struct recording *r)
{
	return recording_is_on(r) && now_ms() >= r->end_ms;
}

static void sort(uint64_t *numbers, uint32_t count)
{
	uint32_t i, at;

	for (i = 1; i < count; i++) {
		uint64_t number = numbers[i];

		for (at = i; at && numbers[at - 1] > number; at--)
			numbers[at] = numbers[at - 1];
		numbers[at] = number;
	}
}

/* Copies the pages of a remote source; the set shrinks to those that it gives. */
static void copy_pages(struct recording *r, struct page_source *source,
		       uint64_t page_size)
{
	long p = raw_syscall(SYS_mmap, 0, PREFETCH_SET_MAX * page_size,
			     PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1,
			     0);
	uint32_t i = 0;

	if (p >= 0 || p <= -4096) {
		r->copies = (char *)p;
		while (i < r->count &&
		       !source->read(source, r->pages[i], r->copies + i * page_size,
				     page_size))
			i++;
	}
	r->count = i;
}

void recording_end(struct recording *r, struct page_source *source,
		   uint64_t page_size)
{
	bool touched = r->count;
	uint32_t i;

	for (i = 0; i < r->count; i += PREFETCH_BATCH)
		sort(r->pages + i,
		     r->count - i < PREFETCH_BATCH ? r->count - i : PREFETCH_BATCH);
	/* While it is on: a remote source still has the pages then. */
	if (source->remote && touched)
		copy_pages(r, source, page_size);
	r->state = touched ? RECORDING_OVER : RECORDING_NOT_BEGUN;
	if (source->forget)
		source->forget(source);
}
