/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Whether the C library is about to change all threads (setuid(3)) or to cancel one: it has sent signals
 * that stopped threads have yet to handle. A child would not have these, and the thread that has sent them
 * would wait there for ever. Each thread looks for itself, by a system call: /proc tells it of others, for
 * about as long as it takes to stop a thread.
 */
#ifndef LIB_PENDING_CHANGE_H
#define LIB_PENDING_CHANGE_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

/* Of the stops of a process, one after the other; begins as zeros. */
struct pending_change {
	_Atomic uint64_t looked;  /* number of the stop << 32 | threads that have */
	_Atomic uint32_t awaited; /* threads that are to look */
	_Atomic uint32_t found;	  /* number of a stop in which one has found some */
};

/* All threads have stopped: so many can look from now on. */
void pending_change_begin(struct pending_change *p, uint32_t stop, uint32_t awaited);

/*
 * The calling thread blocks all signals; when it goes on, those of `blocked` only. Nothing of another stop
 * than the one that has begun.
 */
void pending_change_look(struct pending_change *p, uint32_t stop, uint64_t blocked);

/* Waits until all have, but no longer than `wait_ms`, below 1000. True if they have. */
bool pending_change_await(struct pending_change *p, uint32_t wait_ms);

bool pending_change_found(const struct pending_change *p, uint32_t stop);

#endif /* LIB_PENDING_CHANGE_H */
