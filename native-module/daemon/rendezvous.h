/* SPDX-License-Identifier: Apache-2.0 */
/* Connects a device with the shadow or pager that serves its snapshot. */
#ifndef DAEMON_RENDEZVOUS_H
#define DAEMON_RENDEZVOUS_H

#include "daemon/peer.h"

/* Answers LOCAL_ATTACH to a snapshot of this machine, at once or later. */
void rendezvous_attach(struct daemon *daemon, struct peer *device,
		       uint32_t handler_id);

/* The same for a snapshot of another machine. */
void rendezvous_attach_remote(struct daemon *daemon, struct peer *device,
			      uint32_t machine_id, uint32_t handler_id);

/*
 * The pager that serves a snapshot of another machine for children on a CPU (-1: any). Sets
 * remote->address. One that it starts is not `ready`; daemon->pager_started is called. Returns 0,
 * -ENOTCONN no session to the machine, or -errno.
 */
int rendezvous_find_pager(struct daemon *daemon, struct remote_snapshot *remote,
			  int cpu, struct peer **pager);

/* A shadow has registered: connects the devices that wait for it. */
void rendezvous_shadow_ready(struct daemon *daemon, struct peer *shadow);

#endif /* DAEMON_RENDEZVOUS_H */
