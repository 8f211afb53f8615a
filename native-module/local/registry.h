/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The registry of snapshots on one machine: a table in memory that mitosisd
 * makes and every device maps.
 *
 * A device claims a handler id by itself, without a message: a round trip to
 * the daemon costs 30 us and more, as much as the whole fork of a small
 * process. The daemon frees what a device leaves behind, and learns of a
 * snapshot's shadow when the shadow registers. Processes that map the table
 * run under one user id (or root's), so they trust each other as far as they
 * could ptrace each other; all the same, nobody uses a value from it
 * unchecked, and a holder of the lock that dies or stops delays others no
 * longer than the deadline.
 */
#ifndef LOCAL_REGISTRY_H
#define LOCAL_REGISTRY_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "uapi/mitosis.h"

#define REGISTRY_SLOTS	1024u

enum slot_state {
	SLOT_FREE = 0,
	SLOT_CLAIMED = 1,	/* its prepare is under way */
	SLOT_READY = 2,
};

struct registry_slot {
	/* generation << 2 | state, so that both change at once */
	_Atomic uint64_t word;
	uint32_t device;		/* number of the device that owns it */
	uint32_t reserved;
	struct mitosis_snapshot snapshot;
};

/* Where a snapshot stands. */
struct registry_place {
	uint32_t slot;
	uint64_t generation;
};

static inline bool registry_same_place(const struct registry_place *a,
				       const struct registry_place *b)
{
	return a->slot == b->slot && a->generation == b->generation;
}

struct registry {
	uint32_t magic;
	uint32_t version;
	pthread_mutex_t lock;		/* process-shared and robust */
	uint32_t used;			/* slots at and above it were never claimed */
	struct registry_slot slots[REGISTRY_SLOTS];
};

/*
 * Makes a registry. Returns its memfd, sealed against changes of size, and
 * maps it to *registry; or -errno.
 */
int registry_create(struct registry **registry);

/*
 * Maps the registry behind a memfd, for this process and none of its children.
 * Returns 0 or -errno (-EPROTO: not one).
 */
int registry_map(int fd, struct registry **registry);

/* A further mapping of it, to be read only, and by this process's children as well; NULL. */
struct registry *registry_map_again(struct registry *registry);

void registry_unmap(struct registry *registry);

/* 0, or -ETIMEDOUT when somebody has held the lock for a second. */
int registry_lock(struct registry *registry);
void registry_unlock(struct registry *registry);

/*
 * Claims a handler id for a device. Returns the slot's index; -EEXIST if the
 * id is in use, -ENOSPC, -ETIMEDOUT.
 */
int registry_claim(struct registry *registry, uint32_t handler_id,
		   uint32_t flags, uint32_t device);

/* Of a slot that may change at any time. */
enum slot_state registry_state(const struct registry *registry, uint32_t slot);
uint64_t registry_generation(const struct registry *registry, uint32_t slot);

/*
 * Ends a claim: the snapshot can be seen, and is held by `shadow_pid`. False
 * if the claim is no longer held.
 */
bool registry_publish(struct registry *registry, uint32_t slot,
		      uint64_t generation, int32_t shadow_pid);

/* Gives a slot back, unless it has been claimed anew since. */
void registry_free(struct registry *registry, uint32_t slot,
		   uint64_t generation);

/* With the lock held: the slot that holds a READY handler id, or -ENOENT. */
int registry_find(const struct registry *registry, uint32_t handler_id);

/* True while the slot has not been given back since it was claimed. */
bool registry_holds(const struct registry *registry, uint32_t slot,
		    uint64_t generation);

#endif /* LOCAL_REGISTRY_H */
