/* SPDX-License-Identifier: Apache-2.0 */
/* The processes that hold a channel to this daemon, and what they ask of it. */
#ifndef DAEMON_PEER_H
#define DAEMON_PEER_H

#include <stdbool.h>
#include <stdint.h>

#include "daemon/daemon.h"

enum peer_kind {
	PEER_NEW,		/* has not said yet what it is */
	PEER_DEVICE,
	PEER_SHADOW,
	PEER_PAGER,		/* serves a snapshot of another machine here */
};

enum peer_waits {
	WAITS_NOT,
	WAITS_FOR_END,		/* LOCAL_UNPREPARE, LOCAL_BYE: of the shadow in `slot` */
	WAITS_FOR_SHADOW,	/* LOCAL_ATTACH: that one registers in `slot` */
	WAITS_TO_BE_ENDED,	/* a shadow that was told to end, and has to */
	WAITS_FOR_PAGER,	/* LOCAL_ATTACH: that the pager of machine, handler is ready */
	WAITS_TO_BE_READY,	/* a pager that is connecting */
};

struct peer {
	struct event_source source;	/* first */
	struct event_source process;	/* PEER_DEVICE: the end of its process */
	struct peer *next;
	int fd;			/* -1: gone, freed after this round of events */
	enum peer_kind kind;
	uint32_t device;	/* PEER_DEVICE: its number */
	uint32_t slot;		/* PEER_SHADOW: its slot; else what is waited for */
	uint64_t generation;	/* of that slot */
	uint32_t machine_id, handler_id;	/* PEER_PAGER: its; else what is waited for */
	int cpu;		/* PEER_PAGER, LOCAL_ATTACH: of children; -1: any */
	int pidfd;		/* of its process; -1 before Linux 5.3 */
	bool lingers;		/* PEER_SHADOW: it has left us, but not its children */
	bool watched;		/* PEER_SHADOW: it has had clients on this machine */
	enum peer_waits waits;
	int64_t deadline_ms;	/* of what is waited for, a greeting included */
};

/* Takes up a connection; closes it if its user is not served. */
void peers_accept(struct daemon *daemon, int fd);

/*
 * Takes up the channel to a pager that was started for a snapshot elsewhere,
 * and its pidfd.
 */
struct peer *peers_add_pager(struct daemon *daemon, int fd, int pidfd,
			     uint32_t machine_id, uint32_t handler_id, int cpu);

/*
 * Hands a TCP connection that asked for a snapshot of this machine to its
 * shadow. Returns 0; -ENOENT no such snapshot; -EAGAIN its shadow has not
 * registered yet, or is busy.
 */
int peers_hand_over(struct daemon *daemon, uint32_t handler_id, int fd);

/* Does what is due; returns in how many ms there is more, or -1. */
int peers_expire(struct daemon *daemon);

/* Frees the peers that have gone. */
void peers_sweep(struct daemon *daemon);

/* True when nobody is connected and no snapshot is held. */
bool peers_idle(const struct daemon *daemon);

#endif /* DAEMON_PEER_H */
