/* SPDX-License-Identifier: Apache-2.0 */
/* Gives a pager's replica all pages of its snapshot, in the background. */
#ifndef DAEMON_REPLICA_FILL_H
#define DAEMON_REPLICA_FILL_H

#include <stdatomic.h>

#include "daemon/remote_memory.h"

/*
 * Starts a thread with a connection of its own to the snapshot at `address`, so that no child
 * waits for it. It leaves a quarter of the replica's limit to what children fetch, and
 * ends when the replica has all, or has ended, or the limit is reached, the snapshot has been
 * dropped, or the other machine does not answer. `memory` lives as long as this process; so does
 * *connection, -1 at first, where it leaves the connection of a fill that has succeeded: what
 * was sent is counted as long as that is open (ss).
 */
void replica_fill_start(struct remote_memory *memory,
			const struct local_address *address,
			_Atomic int *connection);

#endif /* DAEMON_REPLICA_FILL_H */
