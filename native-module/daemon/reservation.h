/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Channels that devices open in advance, each for its next shadow. That inherits it by
 * fork, so it needs no socket, and no right to reach this daemon, of its own. The
 * channel closes when the shadow ends, so a snapshot whose shadow never registered is
 * dropped.
 */
#ifndef DAEMON_RESERVATION_H
#define DAEMON_RESERVATION_H

#include "daemon/peer.h"

/* Serves LOCAL_RESERVE of a new peer. False: the peer must be closed. */
bool reservation_make(struct daemon *daemon, struct peer *peer, uint32_t device);

/*
 * Channels of a device that has gone: a shadow that has been forked may still register
 * on one, for a pinned snapshot; then other processes keep it open to no purpose.
 */
void reservations_of_gone_device(struct daemon *daemon, uint32_t device);

#endif /* DAEMON_RESERVATION_H */
