/* SPDX-License-Identifier: Apache-2.0 */
/* The pagers: processes that serve snapshots of other machines here. */
#ifndef DAEMON_PAGERS_H
#define DAEMON_PAGERS_H

#include "daemon/peer.h"

/*
 * True if a pager serves the snapshot for children on a CPU (-1: any). Each CPU
 * on which attachments start children gets a pager of its own, so that these do
 * not queue for one.
 */
bool pager_fits(const struct peer *pager, const struct remote_snapshot *remote,
		int cpu);

/* Returns a pager that fits, and assigns it to that CPU; NULL: there is none. */
struct peer *pager_find(struct daemon *daemon, const struct remote_snapshot *remote,
			int cpu);

/* A pager that serves the snapshot without a session to its machine, or NULL. */
struct peer *pager_find_alone(const struct daemon *daemon, uint32_t machine_id,
			      uint32_t handler_id);

/*
 * Starts a pager. Returns 0 and the pager, for which `started` will be called;
 * -ENOTCONN no session to the machine, or -errno.
 */
int pager_start(struct daemon *daemon, const struct remote_snapshot *remote, int cpu,
		void (*started)(struct daemon *daemon, struct peer *pager,
				int status),
		struct peer **pager);

#endif /* DAEMON_PAGERS_H */
