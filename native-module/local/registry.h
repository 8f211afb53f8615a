/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The registry of snapshots on one machine: a table in memory that mitosisd
 * creates and every device maps.
 *
 * A device claims a handler id without a message: a round trip to the daemon costs
 * 30 us and more, as much as the whole fork of a small process. The daemon frees
 * the slots of a device that has gone. It knows a snapshot's shadow once that
 * registers. Each value is checked before it is used: a process that maps the table
 * may have fewer rights than another one. A lock holder that dies or stops delays
 * others at most until their deadline.
 */
#ifndef LOCAL_REGISTRY_H
#define LOCAL_REGISTRY_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "local/shared_lock.h"
#include "uapi/mitosis.h"

#define REGISTRY_SLOTS 1024u

enum slot_state {
	SLOT_FREE = 0,
	SLOT_CLAIMED = 1, /* its prepare is in progress */
	SLOT_READY = 2,
};

struct registry_slot {
	/* generation << 2 | state, so that both change at once */
	_Atomic uint64_t word;
	uint32_t device;  /* number of the device that owns it */
	uint32_t channel; /* number of the channel that its shadow inherits */
	struct mitosis_snapshot snapshot;
};

/* Identifies a snapshot: a slot is reused in a new generation. */
struct registry_place {
	uint32_t slot;
	uint64_t generation;
};

static inline bool registry_same_place(const struct registry_place *a,
				       const struct registry_place *b)
{
	return a->slot == b->slot && a->generation == b->generation;
}

/* What tells the children of all machines apart. */
struct registry_child {
	uint64_t
		number; /* from 1 on, in the order of their starts on this machine */
	uint32_t machine_id;
};

#define REGISTRY_PAGE 4096

struct registry {
	uint32_t magic;
	uint32_t version;
	struct shared_lock lock;
	uint32_t used; /* slots at and above it were never claimed */
	struct registry_slot slots[REGISTRY_SLOTS];

	/* A page of its own, which processes that become children may write to. */
	_Alignas(REGISTRY_PAGE) _Atomic uint64_t children; /* started so far */
	uint32_t machine_id;				   /* of this machine */
};

/*
 * Creates a registry and maps it to *registry. Returns its memfd, which is sealed
 * against changes of size, or -errno.
 */
int registry_create(struct registry **registry);

/*
 * Maps the registry behind a memfd. Forked processes do not inherit the mapping.
 * Returns 0 or -errno (-EPROTO: not a registry).
 */
int registry_map(int fd, struct registry **registry);

/*
 * Adds a mapping that forked processes inherit, read-only but for the count of children.
 * Returns NULL on failure.
 */
struct registry *registry_map_again(struct registry *registry);

/* Counts a child that is about to start, and says what it is told. */
struct registry_child registry_count_child(struct registry *registry);

void registry_unmap(struct registry *registry);

/* As shared_lock_take(). */
int registry_lock(struct registry *registry);
void registry_unlock(struct registry *registry);

/*
 * Claims a handler id for a device, whose shadow inherits the channel. Returns the slot's index; -EEXIST if the
 * id is in use, -ENOSPC, -ETIMEDOUT.
 */
int registry_claim(struct registry *registry, uint32_t handler_id, uint32_t flags,
		   uint32_t device, uint32_t channel);

/* The slot may change at any time. */
enum slot_state registry_state(const struct registry *registry, uint32_t slot);
uint64_t registry_generation(const struct registry *registry, uint32_t slot);

/*
 * Publishes a claimed slot, whose snapshot `shadow_pid` holds. False if the claim
 * has been dropped.
 */
bool registry_publish(struct registry *registry, uint32_t slot, uint64_t generation,
		      int32_t shadow_pid);

/* Frees a slot, unless it has been claimed again since. */
void registry_free(struct registry *registry, uint32_t slot, uint64_t generation);

/* With the lock held: the slot that holds a READY handler id, or -ENOENT. */
int registry_find(const struct registry *registry, uint32_t handler_id);

/* True while the slot has not been freed since it was claimed. */
bool registry_holds(const struct registry *registry, uint32_t slot,
		    uint64_t generation);

#endif /* LOCAL_REGISTRY_H */
