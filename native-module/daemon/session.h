/* SPDX-License-Identifier: Apache-2.0 */
/* Sessions: where other machines are, for as long as they can be reached. */
#ifndef DAEMON_SESSION_H
#define DAEMON_SESSION_H

#include "daemon/daemon.h"
#include "local/protocol.h"

/*
 * Remembers a machine. `fd` is an authenticated connection to it, whose end is
 * the session's; it is taken over. Replaces an older session. Returns 0 or -errno.
 */
int session_add(struct daemon *daemon, uint32_t machine_id,
		const struct local_address *address, int fd);

/* Where a machine is: 0, or -ENOTCONN. */
int session_address(const struct daemon *daemon, uint32_t machine_id,
		    struct local_address *address);

/*
 * Starts a process that serves a machine's snapshot here. Returns 0 with its
 * channel and its pidfd (-1 before Linux 5.3), which are the caller's; -ENOTCONN,
 * or -errno.
 */
int session_start_pager(struct daemon *daemon, uint32_t machine_id,
			uint32_t handler_id, int *channel, int *pidfd);

#endif /* DAEMON_SESSION_H */
