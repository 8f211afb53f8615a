/* SPDX-License-Identifier: Apache-2.0 */
/* Gives a pager's replica all pages of its snapshot, in the background. */
#ifndef DAEMON_REPLICA_FILL_H
#define DAEMON_REPLICA_FILL_H

#include "daemon/remote_memory.h"

/*
 * Starts a thread with a connection of its own to the snapshot at `address`, so that no child
 * waits for it. It leaves a quarter of the replica's limit to what children fetch, and
 * ends when the replica has all, or has ended, or the limit is reached, the snapshot has been
 * dropped, or the other machine does not answer. `memory` lives as long as this process.
 */
void replica_fill_start(struct remote_memory *memory,
			const struct local_address *address);

#endif /* DAEMON_REPLICA_FILL_H */
