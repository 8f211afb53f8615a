/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Predicts which pages of a snapshot are needed next, from earlier reads. Children
 * of one process tend to read in the same order: a range that followed another
 * twice in a row is expected again. Otherwise two adjacent ranges count as a
 * sequential read, which is expected to continue.
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
	uint64_t from;		/* start of a range */
	struct read_range next; /* the range that was read after it */
	bool confirmed;		/* `next` followed twice in a row */
};

/* The table takes 640 KiB; with windows of 64 pages it covers 4 GiB. */
#define READ_STEPS (1u << 14)

/* Initialized with zeros. */
struct read_ahead {
	struct read_range last;		    /* length 0: none */
	struct read_step steps[READ_STEPS]; /* by a hash of `from` */
};

/* A child starts: its first range does not follow the last child's last one. */
void read_ahead_restart(struct read_ahead *r);

/*
 * Records that `now` is read. Returns true if it predicts the next range, which lies
 * in one segment of `map`.
 */
bool read_ahead_note(struct read_ahead *r, const struct address_map *map,
		     struct read_range now, struct read_range *next);

#endif /* DAEMON_READ_AHEAD_H */
