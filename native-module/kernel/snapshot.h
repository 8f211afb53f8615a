/* SPDX-License-Identifier: GPL-2.0 */
/* The snapshots of this machine, by handler id. */
#ifndef MITOSIS_SNAPSHOT_H
#define MITOSIS_SNAPSHOT_H

#include <linux/atomic.h>
#include <linux/kref.h>
#include <linux/mutex.h>

#include "describe.h"
#include "pages.h"
#include "uapi/mitosis.h"

struct snapshot {
	struct kref refs;
	u32 handler_id;
	u64 serial;			/* unique */
	bool pinned;
	bool dropped;			/* no new children; under the registry's lock */
	u64 prepared_at_ns;		/* CLOCK_REALTIME */
	struct parent parent;
	struct shadow_pages pages;	/* no shadow until prepare is done */
	atomic_t revocations;		/* of its tokens */

	struct mutex lock;		/* of mitosis_snapshot_make_ready() */
	struct description description;	/* from then on */
};

/* Limit of nesting: a fault in a child of a child causes one in its parent. */
#define SNAPSHOT_DEPTH_MAX	4u

void mitosis_snapshots_exit(void);

/*
 * Prepares the calling process. Returns 0 with the snapshot's serial number, or
 * -EEXIST, -ELOOP above SNAPSHOT_DEPTH_MAX, -EOPNOTSUPP for memory served by
 * userfaultfd, -ENOMEM, or an error of fork(2); also -ERESTARTNOINTR: the system
 * call restarts after a signal.
 */
int mitosis_snapshot_prepare(u32 handler_id, bool pinned, u64 *serial);

/* Returns the snapshot with a reference, or NULL. */
struct snapshot *mitosis_snapshot_find(u32 handler_id);

/*
 * The same; NULL if the handler id now belongs to another snapshot. An open file
 * keeps the serial number and no reference, so that a dropped snapshot frees its
 * memory at once.
 */
struct snapshot *mitosis_snapshot_find_serial(u32 handler_id, u64 serial);

/*
 * Must be called before the first child and the first page: does the work that
 * need not hold up the parent in prepare. The shadow no longer changes. Returns 0,
 * -ENOMEM, -EINTR on a fatal signal, or another error of mitosis_describe().
 */
int mitosis_snapshot_make_ready(struct snapshot *snapshot);
void mitosis_snapshot_get(struct snapshot *snapshot);
void mitosis_snapshot_put(struct snapshot *snapshot);

/* Removes the snapshot from the registry; its pages stay until the last reference. */
void mitosis_snapshot_drop(struct snapshot *snapshot);

/* The snapshot with the smallest id from info->handler_id on. Returns 0 or -ENOENT. */
int mitosis_snapshot_next(struct mitosis_snapshot *info);

#endif /* MITOSIS_SNAPSHOT_H */
