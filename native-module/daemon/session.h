/* SPDX-License-Identifier: Apache-2.0 */
/* Sessions: the addresses of other machines, while these are connected. */
#ifndef DAEMON_SESSION_H
#define DAEMON_SESSION_H

#include "daemon/daemon.h"
#include "local/protocol.h"

/*
 * Adds a machine. `fd` is an authenticated connection to it, and is taken over; the
 * session ends with it. Replaces an older session. Returns 0 or -errno.
 */
int session_add(struct daemon *daemon, uint32_t machine_id,
		const struct local_address *address, int fd);

/* Gets the address of a machine. Returns 0, or -ENOTCONN. */
int session_address(const struct daemon *daemon, uint32_t machine_id,
		    struct local_address *address);

/*
 * Starts a process that serves a machine's snapshot here. Returns 0 with its
 * channel and its pidfd (-1 where it has ended already), which are the caller's;
 * -ENOTCONN, or -errno.
 */
int session_start_pager(struct daemon *daemon, uint32_t machine_id,
			uint32_t handler_id, int *channel, int *pidfd);

#endif /* DAEMON_SESSION_H */
