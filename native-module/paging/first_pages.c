// SPDX-License-Identifier: Apache-2.0
#include "paging/first_pages.h"

#include "paging/prefetch.h"

/* Of a frame, what may lie behind its ucontext: the extended registers. */
#define FRAME_BYTES_MAX 4096u

static void add(struct recording *set, uint64_t address, uint64_t page_size)
{
	if (!recording_is_full(set))
		recording_add(set, address & ~(page_size - 1));
}

static void find(struct recording *set, struct page_source *source,
		 uint64_t page_size)
{
	const struct descriptor_header *d = source->descriptor;
	const struct descriptor_stopped_thread *threads =
		descriptor_stopped_threads(d);
	uint32_t i, kept = 0;

	set->capacity = PREFETCH_SET_MAX;
	for (i = 0; i < d->thread_count - 1; i++) {
		add(set, threads[i].frame, page_size);
		add(set, threads[i].frame + FRAME_BYTES_MAX - 1, page_size);
		add(set, threads[i].fs_base, page_size);
	}
	recording_sort(set->pages, set->count);
	for (i = 0; i < set->count; i++)
		if (!i || set->pages[i] != set->pages[i - 1])
			set->pages[kept++] = set->pages[i];
	set->count = kept;
	recording_copy(set, source, page_size);
	set->state = RECORDING_OVER;
}

void first_pages_push(struct recording *set, const struct address_space *space)
{
	if (set->state == RECORDING_NOT_BEGUN)
		find(set, space->source, space->page_size);
	prefetch_push_all(set, space);
}
