/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The porter: a process that serves the pages of this machine's snapshots over RDMA.
 * It is forked for the first machine that asks, so that no other process has the
 * device's libraries, or memory that the device may write.
 */
#ifndef DAEMON_PORTER_H
#define DAEMON_PORTER_H

#include "daemon/daemon.h"
#include "local/protocol.h"

/* The most that a client gets: requests of up to 1 MiB, two of them at a time. */
#define PORTER_PAGES_MAX 256u
#define PORTER_DEPTH_MAX 2u

/*
 * Lets who connects with the token read the pages of the snapshot that has this number, by which
 * WIRE_RIGHTS has named it; it gets no key to any memory. Returns 0 with the grant's number, for which `granted` will be called with a
 * status and the port at which the porter listens (number 0: for all, the porter has
 * ended); -ENODEV without RDMA, -ENOENT no such snapshot, -EBUSY, or -errno.
 */
int porter_grant(struct daemon *daemon, uint32_t handler_id, uint64_t snapshot,
		 const struct local_grant *grant,
		 void (*granted)(struct daemon *daemon, uint32_t grant, int status,
				 uint16_t port),
		 uint32_t *number);

#endif /* DAEMON_PORTER_H */
