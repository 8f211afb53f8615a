/* SPDX-License-Identifier: Apache-2.0 */
/* Connections from other machines: handshake, nil RPC, hand-over to a shadow. */
#ifndef DAEMON_WIRE_SERVER_H
#define DAEMON_WIRE_SERVER_H

#include "daemon/daemon.h"
#include "local/protocol.h"

/*
 * Listens at an address; port 0 chooses one, and *address gets it. Returns a
 * non-blocking socket or -errno.
 */
int wire_listen(struct local_address *address);

/* Takes over a connection of another machine. */
void wire_accept(struct daemon *daemon, int fd);

/* Drops clients that are too slow. Returns the ms until the next deadline, or -1. */
int wire_expire(struct daemon *daemon);

#endif /* DAEMON_WIRE_SERVER_H */
