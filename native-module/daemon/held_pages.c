// SPDX-License-Identifier: Apache-2.0
#include "daemon/held_pages.h"

#include <errno.h>
#include <stdlib.h>

#define CAPACITY_MIN 64u

int held_pages_add(struct held_pages *h, uint64_t start, uint64_t end, bool readable)
{
	struct held_run *last = h->count ? &h->runs[h->count - 1] : NULL;

	if (last && last->end == start && last->readable == readable) {
		last->end = end;
		return 0;
	}
	if (!h->runs || h->count == h->capacity) {
		uint32_t capacity = h->capacity ? 2 * h->capacity : CAPACITY_MIN;
		void *runs = realloc(h->runs, capacity * sizeof(h->runs[0]));

		if (!runs)
			return -ENOMEM;
		h->runs = runs;
		h->capacity = capacity;
	}
	h->runs[h->count++] = (struct held_run){ start, end, readable };
	return 0;
}

const struct held_run *held_pages_find(const struct held_pages *h, uint64_t address)
{
	uint32_t low = 0, high = h->count;

	while (low < high) {
		uint32_t middle = low + (high - low) / 2;

		if (h->runs[middle].end <= address)
			low = middle + 1;
		else
			high = middle;
	}
	return low < h->count ? &h->runs[low] : NULL;
}

void held_pages_free(struct held_pages *h)
{
	if (h)
		free(h->runs);
	free(h);
}
