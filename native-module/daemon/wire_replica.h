/* SPDX-License-Identifier: Apache-2.0 */
/* Other machines that ask for a snapshot which is not of this machine: its pager serves them. */
#ifndef DAEMON_WIRE_REPLICA_H
#define DAEMON_WIRE_REPLICA_H

#include "daemon/wire_client.h"

/* Serves WIRE_OPEN_REPLICA, at once or when the pager is ready. */
void wire_replica_open(struct daemon *daemon, struct wire_client *client);

/* Answers one that waits, or has just asked. */
void wire_replica_refuse(struct daemon *daemon, struct wire_client *client, int err);

/* Of daemon->pager_started. */
void wire_replica_pager_started(struct daemon *daemon, struct peer *pager,
				int status);

#endif /* DAEMON_WIRE_REPLICA_H */
