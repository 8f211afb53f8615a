// SPDX-License-Identifier: Apache-2.0
#include "daemon/recent_chunks.h"

static void note_one(struct recent_chunks *r, uint64_t address)
{
	uint64_t count = atomic_load_explicit(&r->count, memory_order_relaxed);

	/* Requests of a child often follow each other within one. */
	if (count && recent_chunk_of(r->addresses[(count - 1) % RECENT_CHUNKS]) ==
			     recent_chunk_of(address))
		return;
	r->addresses[count % RECENT_CHUNKS] = address;
	r->count = count + 1;
}

void recent_chunks_note(struct recent_chunks *r, uint64_t address, uint64_t length)
{
	const uint64_t end = address + length;

	for (; address < end; address = recent_chunk_of(address) + RECENT_CHUNK_SIZE)
		note_one(r, address);
}

bool recent_chunks_take(const struct recent_chunks *r, struct recent_cursor *c,
			uint64_t *address)
{
	const uint64_t count = r->count;

	if (count - c->seen > RECENT_CHUNKS)
		c->seen = count - RECENT_CHUNKS;
	/* What is overwritten meanwhile is one that has been noted later. */
	for (; c->seen < count; c->seen++) {
		c->found[c->top++ % RECENT_CHUNKS] =
			r->addresses[c->seen % RECENT_CHUNKS];
		if (c->left < RECENT_CHUNKS)
			c->left++;
	}
	if (!c->left)
		return false;
	c->left--;
	*address = c->found[--c->top % RECENT_CHUNKS];
	return true;
}
