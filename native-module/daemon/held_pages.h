/* SPDX-License-Identifier: Apache-2.0 */
/* Which pages of a snapshot a replica has been given, where it has been given all. */
#ifndef DAEMON_HELD_PAGES_H
#define DAEMON_HELD_PAGES_H

#include <stdbool.h>
#include <stdint.h>

struct held_run {
	uint64_t start, end; /* addresses of the snapshot */
	bool readable;	     /* else the parent could not read them either */
};

/* Ascending. Begins as zeros. What is in no run reads as zeros, or is of a file that the replica maps. */
struct held_pages {
	uint32_t count, capacity;
	uint32_t replica; /* which one: its number */
	struct held_run *runs;
};

/* Adds pages behind those that there are. Returns 0 or -ENOMEM. */
int held_pages_add(struct held_pages *held, uint64_t start, uint64_t end,
		   bool readable);

/* The first run that ends behind an address, or NULL. */
const struct held_run *held_pages_find(const struct held_pages *held,
				       uint64_t address);

/* NULL is none. */
void held_pages_free(struct held_pages *held);

#endif /* DAEMON_HELD_PAGES_H */
