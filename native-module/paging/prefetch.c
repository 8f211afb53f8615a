// SPDX-License-Identifier: Apache-2.0
#include "paging/prefetch.h"

/*
 * Whether pages of this process can be copied at once, *length bytes of them. Others come by a fault: what
 * nobody has asked for must not be waited for.
 */
static bool is_there(struct page_source *source, uint64_t address, uint64_t *length)
{
	const void *bytes;
	int err;

	source->sets_aside = true;
	source->needed = PAGE_SOURCE_NONE;
	err = source->fetch(source, address, length, &bytes);
	source->sets_aside = false;
	return !err;
}

void prefetch_push(const struct recording *set, const struct address_space *space,
		   uint32_t *next)
{
	uint64_t size = space->page_size;
	uint32_t i = *next;
	uint32_t end =
		set->count - i < PREFETCH_BATCH ? set->count : i + PREFETCH_BATCH;

	*next = end;
	trace(&space->source->trace, TRACE_PAGES, "pushes prefetched pages",
	      TRACE_NUMBER("from", i), TRACE_NUMBER("to", end),
	      TRACE_NUMBER("of", set->count));
	while (i < end) {
		uint64_t address = set->pages[i];
		const struct segment *s = address_map_find(&space->map, address);
		const void *bytes =
			set->copies ? set->copies + i * size : (const void *)address;
		uint64_t length = 0;
		uint32_t first = i;
		bool pushes = true;

		/* Not where the child has put something else in the meantime. */
		if (!s || s->source != s->start) {
			i++;
			continue;
		}
		/* Neighbours at once, as far as they lie in one VMA. */
		do {
			length += size;
			i++;
		} while (i < end && set->pages[i] == address + length &&
			 address + length < s->end);
		if (!set->copies) {
			pushes = is_there(space->source, address, &length);
			i = first + length / size;
		}
		if (pushes && !address_space_push(space, address, bytes, length)) {
			*next = set->count;
			return;
		}
	}
}

void prefetch_push_all(const struct recording *set,
		       const struct address_space *space)
{
	uint32_t next = 0;

	while (next < set->count)
		prefetch_push(set, space, &next);
}
