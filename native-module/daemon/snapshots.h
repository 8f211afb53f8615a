/* SPDX-License-Identifier: Apache-2.0 */
/* The snapshots of this machine, and the shadows that hold them. */
#ifndef DAEMON_SNAPSHOTS_H
#define DAEMON_SNAPSHOTS_H

#include "daemon/peer.h"

/* The slot with a READY handler id, or -errno. */
int snapshot_find(struct daemon *daemon, uint32_t handler_id);

/* The registered shadow of what a slot holds now; NULL if there is none. */
struct peer *snapshot_shadow(const struct daemon *daemon, uint32_t slot);

/*
 * Gives a slot back and ends its shadow. True if a shadow has yet to end; one
 * that has not registered yet will be refused, and end.
 */
bool snapshot_drop(struct daemon *daemon, uint32_t slot);

/*
 * Drops a device's own snapshot; it has one at most that is not pinned. True if
 * its shadow, at *place, has yet to end.
 */
bool snapshot_drop_own(struct daemon *daemon, uint32_t device,
		       struct registry_place *place);

/* Drops what a device that has gone has not pinned, claims included. */
void snapshots_of_gone_device(struct daemon *daemon, uint32_t device);

/*
 * True if the shadow of a slot ended before it could register; then its slot is
 * free.
 */
bool snapshot_ended_unregistered(struct daemon *daemon, uint32_t slot);

/*
 * Serves LOCAL_REGISTER of a new peer, which becomes a shadow. False if it is
 * refused.
 */
bool snapshot_register(struct daemon *daemon, struct peer *peer,
		       const struct local_message *message);

/* A shadow gets its first client on this machine: from now on it is watched. */
void snapshot_watch(struct daemon *daemon, struct peer *shadow);

/*
 * Hands a TCP connection that asked for a snapshot of this machine to its
 * shadow. Returns 0; -ENOENT no such snapshot; -EAGAIN its shadow has not
 * registered yet, or is busy.
 */
int snapshot_hand_over(struct daemon *daemon, uint32_t handler_id, int fd);

/* Does what is due; returns in how many ms there is more, or -1. */
int snapshots_expire(struct daemon *daemon);

/* True while a slot of the registry is in use. */
bool snapshots_held(const struct daemon *daemon);

#endif /* DAEMON_SNAPSHOTS_H */
