/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Working-set recording: which pages the first child of a snapshot touches first.
 * They are the prefetch set, which later children get before they fault.
 * Recording ends with the child, when the set is full, or when its time is over.
 * Runs in shadows: no libc, no globals.
 */
#ifndef PAGING_RECORDING_H
#define PAGING_RECORDING_H

#include <stdbool.h>
#include <stdint.h>

struct page_source;

/* The most pages of a prefetch set, 32 MiB; and of a snapshot with one thread, 4 MiB. */
#define PREFETCH_SET_MAX	8192u
#define PREFETCH_SET_MAX_SINGLE 1024u
/* Pages that are pushed at once. Faults are served between two batches. */
#define PREFETCH_BATCH 64u

/* Begins as zeros. */
struct recording {
	enum { RECORDING_NOT_BEGUN, RECORDING_ON, RECORDING_OVER } state;
	int64_t end_ms; /* RECORDING_ON: when its time is over */
	uint32_t count, capacity;
	/*
	 * Addresses in the snapshot, in the order of the first touch; once the
	 * recording is over, ascending within each batch.
	 */
	uint64_t pages[PREFETCH_SET_MAX];
	char *copies; /* the pages' bytes, of a remote source; else NULL */
};

static inline bool recording_is_on(const struct recording *r)
{
	return r->state == RECORDING_ON;
}

static inline bool recording_is_full(const struct recording *r)
{
	return r->count == r->capacity;
}

/* Records the first touch of a page. The recording is not full. */
static inline void recording_add(struct recording *r, uint64_t address)
{
	r->pages[r->count++] = address;
}

/* Of at most `capacity` pages, PREFETCH_SET_MAX or less. */
void recording_begin(struct recording *r, uint32_t capacity);

/* True if it is on and its time is over. */
bool recording_is_late(const struct recording *r);

/*
 * Ends the recording and makes the prefetch set ready. A recording of no page
 * counts as not begun: the next child is recorded.
 */
void recording_end(struct recording *r, struct page_source *source,
		   uint64_t page_size);

/* Ascending. */
void recording_sort(uint64_t *pages, uint32_t count);

/*
 * Copies the pages if they are another machine's. The set shrinks to those that it gives:
 * none, if the connection fails.
 */
void recording_copy(struct recording *r, struct page_source *source,
		    uint64_t page_size);

#endif /* PAGING_RECORDING_H */
