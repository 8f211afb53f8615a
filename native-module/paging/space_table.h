/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The address spaces that a page server serves: each of its children's, and
 * those of processes that they have forked. Runs in shadows: no libc, no
 * globals.
 */
#ifndef PAGING_SPACE_TABLE_H
#define PAGING_SPACE_TABLE_H

#include <stdbool.h>
#include <stdint.h>

#include "paging/client_table.h"
#include "paging/pager.h"

/* As CLIENTS_MAX. */
#define SPACES_MAX 32768

struct served_space {
	struct address_space memory; /* uffd -1: free */
	uint32_t client; /* index of the child that it is or comes from */
	uint32_t pushed; /* pages of the prefetch set that it has got */
	uint64_t number; /* tells it from others that had this place */
	bool entrusted;	 /* mitosisd keeps its userfaultfd, too */
	bool paused;	 /* waits for room: not polled for the moment */
};

/* What a client's spaces take. */
struct space_use {
	uint32_t spaces;
	uint32_t segments; /* of their address maps */
};

/* Begins as zeros. */
struct space_table {
	uint32_t count;	  /* `spaces` is filled up to here, with free ones between */
	uint32_t used;	  /* spaces that are not free */
	uint64_t numbers; /* given so far */
	bool paused;	  /* one is */
	struct space_use use[CLIENTS_MAX];
	uint32_t checked; /* index of the last one that was checked for life */
	struct served_space spaces[SPACES_MAX];
};

/* Returns NULL without room. Nothing is pushed to it. */
struct served_space *space_table_add(struct space_table *table, uint32_t client,
				     const struct address_space *memory);

void space_table_free(struct space_table *table, struct served_space *space);

/* Its address map has had another weight (address_map.h) before. */
void space_table_note_map(struct space_table *table,
			  const struct served_space *space, uint32_t weight_before);

/*
 * Whether a client may have one more beyond its limit: those that have been refused
 * go on forking until they end.
 */
bool space_table_has_room(const struct space_table *table, uint32_t client,
			  uint32_t limit);

/* Polls a space no longer, or all of them again. */
void space_table_pause(struct space_table *table, struct served_space *space);
void space_table_go_on(struct space_table *table);

/* Missing pages of a client's spaces cannot be read from now on. */
void space_table_lose_client(struct space_table *table, uint32_t client);

/*
 * Makes a client's spaces another one's, but for the one with that number. Returns how
 * many these are.
 */
uint32_t space_table_move(struct space_table *table, uint32_t from, uint32_t to,
			  uint64_t but_for);

/* Frees a client's spaces in which no process lives. True if one is left. */
bool space_table_sweep(struct space_table *table, uint32_t client);

/* True while a space with a recording is served. */
bool space_table_is_recorded(const struct space_table *table);

void space_table_stop_recording(struct space_table *table);

/* What waits for pages that the source has set aside faults again. */
void space_table_retry(struct space_table *table);

/* The source has failed: missing pages cannot be read from now on. */
void space_table_lose(struct space_table *table);

#endif /* PAGING_SPACE_TABLE_H */
