/* SPDX-License-Identifier: Apache-2.0 */
/* Brings a device or child together with what serves it: a shadow or a pager. */
#ifndef DAEMON_RENDEZVOUS_H
#define DAEMON_RENDEZVOUS_H

#include "daemon/peer.h"

/* Answers a device's LOCAL_ATTACH to a snapshot of this machine, now or later. */
void rendezvous_attach(struct daemon *daemon, struct peer *device,
		       uint32_t handler_id);

/* The same to a snapshot of another machine. */
void rendezvous_attach_remote(struct daemon *daemon, struct peer *device,
			      const struct remote_snapshot *remote);

/* A shadow has registered: joins the devices that wait for it. */
void rendezvous_shadow_ready(struct daemon *daemon, struct peer *shadow);

#endif /* DAEMON_RENDEZVOUS_H */
