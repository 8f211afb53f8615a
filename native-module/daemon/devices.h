/* SPDX-License-Identifier: Apache-2.0 */
/* Devices: serves the requests of processes that prepare and resume. */
#ifndef DAEMON_DEVICES_H
#define DAEMON_DEVICES_H

#include "daemon/peer.h"

/* Serves LOCAL_HELLO of a new peer, which becomes a device. */
void device_hello(struct daemon *daemon, struct peer *peer);

#endif /* DAEMON_DEVICES_H */
