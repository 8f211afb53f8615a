// SPDX-License-Identifier: Apache-2.0
#include "daemon/read_ahead.h"

/* Pages are 4 KiB at least; the multiplier is 2^64 over the golden ratio. */
static struct read_step *step_from(struct read_ahead *r, uint64_t address)
{
	uint64_t hash = (address >> 12) * 0x9e3779b97f4a7c15ull;

	return &r->steps[hash / (UINT64_MAX / READ_STEPS + 1)];
}

static void record_step(struct read_ahead *r, struct read_range now)
{
	struct read_step *step = step_from(r, r->last.address);
	bool again = step->from == r->last.address &&
		     step->next.address == now.address &&
		     step->next.length == now.length;

	*step = (struct read_step){ r->last.address, now, again };
}

void read_ahead_restart(struct read_ahead *r)
{
	r->last.length = 0;
}

bool read_ahead_note(struct read_ahead *r, const struct address_map *map,
		     struct read_range now, struct read_range *next)
{
	bool in_sequence =
		r->last.length && now.address == r->last.address + r->last.length;
	const struct read_step *step = step_from(r, now.address);
	const struct segment *s;

	if (r->last.length)
		record_step(r, now);
	r->last = now;
	if (step->confirmed && step->from == now.address) {
		*next = step->next;
		return true;
	}
	if (!in_sequence)
		return false;
	s = address_map_find(map, now.address + now.length);
	if (!s)
		return false;
	*next = (struct read_range){ now.address + now.length, now.length };
	if (next->length > s->end - next->address)
		next->length = s->end - next->address;
	return true;
}
