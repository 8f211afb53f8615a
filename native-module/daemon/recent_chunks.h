/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which parts of a snapshot have been asked for last. One thread notes them, another one takes them;
 * neither waits for the other. Of a burst of requests older ones are lost.
 */
#ifndef DAEMON_RECENT_CHUNKS_H
#define DAEMON_RECENT_CHUNKS_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#define RECENT_CHUNK_SIZE (64u << 10) /* bytes */
#define RECENT_CHUNKS	  1024u

/* Begins as zeros. */
struct recent_chunks {
	_Atomic uint64_t addresses[RECENT_CHUNKS]; /* a page of each */
	_Atomic uint64_t count;			   /* noted so far */
};

/* What the taker has found, and not taken yet. Begins as zeros. */
struct recent_cursor {
	uint64_t seen; /* of `count` */
	uint64_t found[RECENT_CHUNKS];
	uint64_t top; /* the newest is before it */
	uint32_t left;
};

/* The start of the chunk that an address is in. */
static inline uint64_t recent_chunk_of(uint64_t address)
{
	return address & ~(uint64_t)(RECENT_CHUNK_SIZE - 1);
}

void recent_chunks_note(struct recent_chunks *recent, uint64_t address,
			uint64_t length);

/* A page of the chunk noted last that has not been taken; a chunk may come more than once. False: none. */
bool recent_chunks_take(const struct recent_chunks *recent,
			struct recent_cursor *cursor, uint64_t *address);

#endif /* DAEMON_RECENT_CHUNKS_H */
