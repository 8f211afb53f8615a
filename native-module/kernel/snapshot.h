/* SPDX-License-Identifier: GPL-2.0 */
/* The snapshots of this machine, by user and handler id. */
#ifndef MITOSIS_SNAPSHOT_H
#define MITOSIS_SNAPSHOT_H

#include <linux/atomic.h>
#include <linux/kref.h>
#include <linux/mutex.h>
#include <linux/uidgid.h>

#include "describe.h"
#include "pages.h"
#include "uapi/mitosis.h"

struct snapshot {
	struct kref refs;
	u32 handler_id;
	u64 serial; /* unique, not 0 */
	bool pinned;
	bool dropped;	    /* no new children; under the registry's lock */
	u32 payer;	    /* in whose shares it is until its memory is free: shares.h */
	bool is_paid;	    /* it is in them */
	u64 prepared_at_ns; /* CLOCK_REALTIME */
	struct parent parent;
	struct shadow_pages pages; /* no shadow until prepare is done */
	atomic_t revocations;	   /* of its tokens */

	struct mutex lock;		/* of mitosis_snapshot_make_ready() */
	struct description description; /* from then on */
};

/* Limit of nesting: a fault in a child of a child causes one in its parent. */
#define SNAPSHOT_DEPTH_MAX 4u

void mitosis_snapshots_exit(void);

/*
 * Prepares the calling process. Returns 0 with the key and the serial number, or
 * -EEXIST, -ELOOP above SNAPSHOT_DEPTH_MAX, -EOPNOTSUPP for memory served by
 * userfaultfd, -EDQUOT or -ENOSPC: the user has too many or too large ones, -ENOMEM, or
 * an error of fork(2); also -ERESTARTNOINTR: the system call restarts after a signal.
 * Takes `told` over: its description, checked, or NULL.
 */
int mitosis_snapshot_prepare(u32 handler_id, bool pinned, struct descriptor_header *told, u64 *key,
			     u64 *serial);

/* The key of a user's handler id. Keys are ordered by user, then by handler id. */
u64 mitosis_snapshot_key(kuid_t user, u32 handler_id);

/* Returns the snapshot with a reference, or NULL. */
struct snapshot *mitosis_snapshot_find(u64 key);

/*
 * The same; NULL if the key now belongs to another snapshot. An open file
 * keeps the serial number and no reference, so that a dropped snapshot frees its
 * memory at once.
 */
struct snapshot *mitosis_snapshot_find_serial(u64 key, u64 serial);

/* The snapshot with the smallest key from *key on, which becomes *key; or NULL. */
struct snapshot *mitosis_snapshot_next(u64 *key);
/* The same among those with the handler id, of all users. */
struct snapshot *mitosis_snapshot_next_of_id(u64 *key, u32 handler_id);

/*
 * Must be called before the first child and the first page: does the work that
 * need not hold up the parent in prepare. The shadow no longer changes. Returns 0,
 * -ENOMEM, -EINTR on a fatal signal, -ENOSPC as mitosis_pages_pay(), or another error of
 * mitosis_describe().
 */
int mitosis_snapshot_make_ready(struct snapshot *snapshot);
void mitosis_snapshot_get(struct snapshot *snapshot);
void mitosis_snapshot_put(struct snapshot *snapshot);

/* Removes the snapshot from the registry; its pages stay until the last reference. */
void mitosis_snapshot_drop(struct snapshot *snapshot);
/* Whether it has been: it gets no new children. */
bool mitosis_snapshot_is_dropped(const struct snapshot *snapshot);

struct mitosis_snapshot mitosis_snapshot_info(const struct snapshot *snapshot);

#endif /* MITOSIS_SNAPSHOT_H */
