/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A pager whose replica has all pages goes on without the machine that it got them from, unless the
 * snapshot was dropped there.
 */
#ifndef DAEMON_LONE_REPLICA_H
#define DAEMON_LONE_REPLICA_H

#include "daemon/remote_memory.h"

/* How often a pager that could do so asks whether the snapshot has been dropped, ms. */
#define LONE_REPLICA_ASK_MS 1000

/*
 * The machine does not answer any more. True if the pager goes on: source.alone. It is for the rest of
 * its life then.
 */
bool lone_replica_begin(struct remote_memory *memory);

/* As page_source.fetch(), once it is alone. -EIO: the replica has ended as well. */
int lone_replica_fetch(struct remote_memory *memory, uint64_t address,
		       uint64_t *length, const void **bytes);

/* As page_source.admit(). */
int lone_replica_admit(const struct remote_memory *memory);

#endif /* DAEMON_LONE_REPLICA_H */
