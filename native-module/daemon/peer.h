/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Peers: the processes of this machine that hold a channel to this daemon.
 *
 * A peer has a role, which says how its messages are served: it is new
 * (greeting.c), a device (devices.c), a shadow (snapshots.c) or a pager
 * (pagers.c).
 */
#ifndef DAEMON_PEER_H
#define DAEMON_PEER_H

#include <stdbool.h>
#include <stdint.h>

#include "daemon/daemon.h"
#include "local/protocol.h"

enum peer_kind {
	PEER_NEW,		/* has not said yet what it is */
	PEER_DEVICE,
	PEER_SHADOW,
	PEER_PAGER,		/* serves a snapshot of another machine here */
};

struct peer_role {
	enum peer_kind kind;
	/*
	 * Serves a message and the descriptor that came with it (-1: none), which
	 * is set to -1 where it is taken over. False: out of turn; the peer is closed.
	 */
	bool (*serve)(struct daemon *daemon, struct peer *peer,
		      const struct local_message *message, int *fd);
	/* The channel has been closed. NULL: nothing to do. */
	void (*gone)(struct daemon *daemon, struct peer *peer);
	/* Does what is due; returns when there is more to do, or INT64_MAX. */
	int64_t (*expire)(struct daemon *daemon, struct peer *peer, int64_t now_ms);
};

enum device_waits {
	WAITS_NOT,
	WAITS_FOR_END,		/* LOCAL_UNPREPARE, LOCAL_BYE: of the place's shadow */
	WAITS_FOR_SHADOW,	/* LOCAL_ATTACH: until one registers for the place */
	WAITS_FOR_PAGER,	/* LOCAL_ATTACH: until the pager is ready */
};

/* A snapshot of another machine. */
struct remote_snapshot {
	uint32_t machine_id, handler_id;
};

struct peer {
	struct event_source source;	/* first */
	struct peer *next;
	int fd;			/* -1: gone, freed after this round of events */
	int pidfd;		/* of its process; -1 before Linux 5.3 */
	int64_t deadline_ms;	/* of the greeting, or of what is awaited */
	const struct peer_role *role;	/* tells which of these is valid */
	union {
		struct {
			struct event_source process;	/* the end of its process */
			uint32_t number;
			enum device_waits waits;
			struct registry_place place;	/* whose shadow is awaited */
			struct remote_snapshot remote;	/* whose pager is awaited */
			int cpu;	/* LOCAL_ATTACH: where children start; -1: any */
		} device;
		struct {
			struct registry_place place;
			uint32_t handler_id;
			bool lingers;	/* has left, stays for its children */
			bool watched;	/* has had clients on this machine */
			bool must_end;	/* has been told to end */
		} shadow;
		struct {
			struct remote_snapshot remote;
			int cpu;	/* of its children; -1: not chosen yet */
			bool ready;
			/* Called once: it is ready (0), or cannot be (-errno). */
			void (*started)(struct daemon *daemon, struct peer *pager,
					int status);
		} pager;
	};
};

/* True if the peer is still there, and of this kind. */
static inline bool peer_is(const struct peer *peer, enum peer_kind kind)
{
	return peer->fd >= 0 && peer->role->kind == kind;
}

/*
 * Adds a peer and watches its channel, which is taken over. NULL if there is no
 * room; then the channel is still the caller's.
 */
struct peer *peer_add(struct daemon *daemon, int fd, const struct peer_role *role);

/* Closes its channel; the peer stays in the list until peers_sweep(). */
void peer_close(struct daemon *daemon, struct peer *peer);

/* Sends a message, with `fd` unless it is -1; closes the peer if it cannot. */
void peer_send(struct daemon *daemon, struct peer *peer,
	       const struct local_message *message, int fd);

/* Answers a request. A device waits for nothing from then on. */
void peer_answer(struct daemon *daemon, struct peer *peer, int status);

/* The same of a shadow's end, with LOCAL_LINGERS or 0. */
void peer_answer_flags(struct daemon *daemon, struct peer *peer, int status,
		       uint32_t flags);

/* Makes a device wait; the caller fills in for which place or pager. */
void peer_wait(struct peer *device, enum device_waits what);

/* Opens a pidfd of the process at the other end of the channel; -1 if it cannot. */
void peer_open_process(struct peer *peer);

/* Does what is due; returns in how many ms there is more, or -1. */
int peers_expire(struct daemon *daemon);

/* Frees the peers that have gone. */
void peers_sweep(struct daemon *daemon);

#endif /* DAEMON_PEER_H */
