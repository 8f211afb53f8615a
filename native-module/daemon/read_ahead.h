/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which pages the children of a snapshot will need next, from what was needed
 * before. Children of one process tend to go the same way: an order that has
 * been seen twice is expected again. Else, who has read two ranges one behind
 * the other is expected to go on.
 */
#ifndef DAEMON_READ_AHEAD_H
#define DAEMON_READ_AHEAD_H

#include <stdbool.h>
#include <stdint.h>

#include "paging/address_map.h"

/* Bytes of the snapshot. */
struct read_range {
	uint64_t address, length;
};

struct read_step {
	uint64_t from;		/* where a range begins */
	struct read_range next;	/* what was needed after it */
	bool sure;		/* twice running */
};

/* 640 KiB; with windows of 64 pages, enough for 4 GiB. */
#define READ_STEPS	(1u << 14)

/* Begins as zeros. */
struct read_ahead {
	struct read_range last;	/* length 0: none */
	struct read_step steps[READ_STEPS];	/* by a hash of `from`; the newest stays */
};

/* A child begins: what it needs first does not follow from the last one's end. */
void read_ahead_restart(struct read_ahead *r);

/*
 * Notes that `now` is needed. True if it can be told what will be next, in one
 * segment of `map`.
 */
bool read_ahead_note(struct read_ahead *r, const struct address_map *map,
		     struct read_range now, struct read_range *next);

#endif /* DAEMON_READ_AHEAD_H */
