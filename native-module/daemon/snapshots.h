/* SPDX-License-Identifier: Apache-2.0 */
/* The snapshots of this machine, and the shadows that hold them. */
#ifndef DAEMON_SNAPSHOTS_H
#define DAEMON_SNAPSHOTS_H

#include "daemon/peer.h"

/* The slot with a READY handler id, or -errno. */
int snapshot_find(struct daemon *daemon, uint32_t handler_id);

/* The registered shadow of a slot's snapshot, or NULL. */
struct peer *snapshot_shadow(const struct daemon *daemon, uint32_t slot);

/*
 * Frees a slot and ends its shadow. True if a registered shadow has not ended yet.
 * A shadow that registers later is refused, and ends.
 */
bool snapshot_drop(struct daemon *daemon, uint32_t slot);

/*
 * Drops a device's unpinned snapshot, of which it has at most one. True if its
 * shadow, at *place, has not ended yet.
 */
bool snapshot_drop_own(struct daemon *daemon, uint32_t device,
		       struct registry_place *place);

/* The device has gone: drops its claims and its unpinned snapshots. */
void snapshots_of_gone_device(struct daemon *daemon, uint32_t device);

/*
 * True if the shadow of a slot ended before it could register; then its slot is
 * free.
 */
bool snapshot_ended_unregistered(struct daemon *daemon, uint32_t slot);

/* A reserved channel has closed, and no shadow has registered on it. */
void snapshot_of_gone_channel(struct daemon *daemon, uint32_t device,
			      uint32_t channel);

/*
 * Serves LOCAL_REGISTER on a reserved channel, which becomes a shadow's. False if it
 * is refused.
 */
bool snapshot_register(struct daemon *daemon, struct peer *peer,
		       const struct local_message *message);

/* Called before a shadow gets a client on this machine: the watchdog watches it. */
void snapshot_watch(struct daemon *daemon, struct peer *shadow);

/*
 * What the kernel says that the parent of a snapshot of this machine has, and the snapshot's
 * number. Returns 0; -ENOENT no such snapshot; -EAGAIN its shadow has not registered yet; -EPERM
 * this mitosisd does not see its shadow.
 */
int snapshot_rights(struct daemon *daemon, uint32_t handler_id,
		    struct wire_rights *rights);

/*
 * Hands a TCP connection that asked for a snapshot of this machine to its
 * shadow; `sealing` of a sealed session, or NULL. Returns 0; -ENOENT no such snapshot,
 * or no longer the one of this number; -EAGAIN its shadow has not registered yet, or is busy.
 */
int snapshot_hand_over(struct daemon *daemon, uint32_t handler_id, uint64_t number,
		       int fd, const struct local_sealing *sealing);

/*
 * Has a snapshot's shadow send struct local_memory, with its memory, to the stream `fd`.
 * Returns as above.
 */
int snapshot_lend(struct daemon *daemon, uint32_t handler_id, uint64_t number,
		  int fd);

/* Handles expired deadlines. Returns the ms until the next one, or -1. */
int snapshots_expire(struct daemon *daemon);

/* True while a slot of the registry is in use. */
bool snapshots_held(const struct daemon *daemon);

#endif /* DAEMON_SNAPSHOTS_H */
