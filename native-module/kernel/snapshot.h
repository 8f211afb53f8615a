/* SPDX-License-Identifier: GPL-2.0 */
/* The snapshots of this machine, by handler id. */
#ifndef MITOSIS_SNAPSHOT_H
#define MITOSIS_SNAPSHOT_H

#include <linux/kref.h>
#include <linux/mutex.h>

#include "describe.h"
#include "pages.h"
#include "uapi/mitosis.h"

struct snapshot {
	struct kref refs;
	u32 handler_id;
	u64 serial;			/* no two have the same */
	bool pinned;
	bool dropped;			/* takes no further children; under the registry's lock */
	u64 prepared_at_ns;		/* CLOCK_REALTIME */
	struct parent parent;
	struct shadow_pages pages;	/* without a shadow while it is being prepared */
	u8 secret[sizeof(((struct mitosis_token *)0)->secret)];

	struct mutex lock;		/* of mitosis_snapshot_make_ready() */
	struct description description;	/* from then on */
};

/* How deep children of children may be prepared: each is a fault within a fault. */
#define SNAPSHOT_DEPTH_MAX	4u

void mitosis_snapshots_exit(void);

/*
 * Prepares the calling process. Returns 0 with the snapshot's serial number, or
 * -EEXIST, -ELOOP (too deep), -ENOMEM or what fork(2) returns, which within the
 * kernel may be -ERESTARTNOINTR: again, after a signal.
 */
int mitosis_snapshot_prepare(u32 handler_id, bool pinned, u64 *serial);

/* With a reference; NULL if there is none. */
struct snapshot *mitosis_snapshot_find(u32 handler_id);

/*
 * The same, but NULL if it is not the one with that number any more. Who has
 * prepared a snapshot knows it by this, and has no reference: what is dropped
 * gives its memory back at once.
 */
struct snapshot *mitosis_snapshot_find_serial(u32 handler_id, u64 serial);

/*
 * Before the first child and the first page: makes what the parent, who stands
 * still while it is prepared, need not wait for. Its memory changes no more.
 * Returns 0, -ENOMEM, or -EINTR: the caller is to die.
 */
int mitosis_snapshot_make_ready(struct snapshot *snapshot);
void mitosis_snapshot_get(struct snapshot *snapshot);
void mitosis_snapshot_put(struct snapshot *snapshot);

/* Takes it out of the registry; whoever has a reference keeps the pages. */
void mitosis_snapshot_drop(struct snapshot *snapshot);

/* The caller is its owner, or may act for everybody. */
bool mitosis_snapshot_is_callers(const struct snapshot *snapshot);

/* The first at or after *handler_id. Returns 0 or -ENOENT. */
int mitosis_snapshot_next(struct mitosis_snapshot *info);

#endif /* MITOSIS_SNAPSHOT_H */
