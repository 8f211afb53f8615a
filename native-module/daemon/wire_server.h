/* SPDX-License-Identifier: Apache-2.0 */
/* Other machines at our door: handshake, nil RPC, and the way to a shadow. */
#ifndef DAEMON_WIRE_SERVER_H
#define DAEMON_WIRE_SERVER_H

#include "daemon/daemon.h"
#include "local/protocol.h"

/*
 * Listens at an address; port 0 chooses one, and *address gets it. Returns a
 * non-blocking socket or -errno.
 */
int wire_listen(struct local_address *address);

/* Takes up the connections that wait at a listener. */
void wire_accept_all(struct daemon *daemon, int listener);

/* Lets go who has been too slow; returns in how many ms there is more, or -1. */
int wire_expire(struct daemon *daemon);

#endif /* DAEMON_WIRE_SERVER_H */
