/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Peers: the processes of this machine that hold a channel to this daemon.
 *
 * A peer has a role, which says how its messages are served: it is new
 * (greeting.c), a device (devices.c), a channel that a device has reserved for its next
 * shadow (reservation.c), a shadow (snapshots.c), a pager (pagers.c) or the porter
 * (porter.c).
 */
#ifndef DAEMON_PEER_H
#define DAEMON_PEER_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/socket.h>

#include "daemon/daemon.h"
#include "daemon/owner.h"
#include "local/protocol.h"

enum peer_kind {
	PEER_NEW, /* has sent no message yet */
	PEER_DEVICE,
	PEER_RESERVATION,
	PEER_SHADOW,
	PEER_PAGER,  /* serves a snapshot of another machine here */
	PEER_PORTER, /* serves snapshots of this machine over RDMA */
};

struct peer_role {
	enum peer_kind kind;
	/*
	 * Serves a message and the descriptor that came with it (-1: none), and
	 * sets *fd to -1 if it takes that over. False: the peer must be closed.
	 */
	bool (*serve)(struct daemon *daemon, struct peer *peer,
		      const struct local_message *message, int *fd);
	/* The channel has been closed. NULL: nothing to do. */
	void (*gone)(struct daemon *daemon, struct peer *peer);
	/* Handles an expired deadline. Returns the next one, or INT64_MAX. */
	int64_t (*expire)(struct daemon *daemon, struct peer *peer, int64_t now_ms);
};

enum device_waits {
	WAITS_NOT,
	WAITS_FOR_END,	  /* LOCAL_UNPREPARE, LOCAL_BYE: of the place's shadow */
	WAITS_FOR_SHADOW, /* LOCAL_ATTACH: until one registers for the place */
	WAITS_FOR_PAGER,  /* LOCAL_ATTACH: until the pager is ready */
};

/* A snapshot of another machine. */
struct remote_snapshot {
	uint32_t machine_id, handler_id;
	struct local_address address; /* of the machine: that of its session */
};

struct peer {
	struct event_source source; /* first */
	struct event_source end;    /* of its process */
	struct peer *next;
	int fd;	   /* -1: closed; peers_sweep() frees the peer */
	int pidfd; /* of its process; -1 before Linux 5.3 */
	/* Who opened the channel; of a shadow: who registered. The pid may be 0. */
	struct ucred process;
	int64_t deadline_ms; /* of the first message, or of what it waits for */
	const struct peer_role *role; /* its kind selects the union's member */
	union {
		struct {
			uint32_t number;
			enum device_waits waits;
			struct registry_place place; /* whose shadow it waits for */
			struct remote_snapshot remote; /* whose pager it waits for */
			int cpu;    /* LOCAL_ATTACH: where children start; -1: any */
			bool forks; /* LOCAL_ATTACH: may have a replica do so */
			bool alike; /* LOCAL_ATTACH: where it is itself, or not at all */
		} device;
		struct {
			uint32_t device, channel; /* numbers */
		} reservation;
		struct {
			struct registry_place place;
			uint64_t number; /* not 0; that no other one gets */
			uint32_t handler_id;
			struct owner_rights rights; /* read at the first attach */
			bool lingers;  /* serves its last children only */
			bool watched;  /* has had clients on this machine */
			bool must_end; /* has been told to end */
		} shadow;
		struct {
			struct remote_snapshot remote;
			int cpu; /* of its children; -1: not chosen yet */
			bool ready;
			struct parent_rights
				rights; /* ready: by its machine's word */
			bool alone;	/* needs no session: LOCAL_ALONE */
			/* Called once: it is ready (0), or has failed (-errno). */
			void (*started)(struct daemon *daemon, struct peer *pager,
					int status);
		} pager;
		struct {
			uint32_t pending; /* grants that it has not answered */
			/* As porter_grant() got it; `grant` 0: the porter has ended. */
			void (*granted)(struct daemon *daemon, uint32_t grant,
					int status, uint16_t port);
		} porter;
	};
};

/* True if the peer is of this kind, and not closed. */
static inline bool peer_is(const struct peer *peer, enum peer_kind kind)
{
	return peer->fd >= 0 && peer->role->kind == kind;
}

/*
 * Adds a peer and watches its channel to `process`, which is taken over. NULL if there
 * is no room; then the channel is still the caller's.
 */
struct peer *peer_add(struct daemon *daemon, int fd, const struct ucred *process,
		      const struct peer_role *role);

/* Closes its channel; the peer stays in the list until peers_sweep(). */
void peer_close(struct daemon *daemon, struct peer *peer);

/* Sends a message, with `fd` unless it is -1; on failure closes the peer. */
void peer_send(struct daemon *daemon, struct peer *peer,
	       const struct local_message *message, int fd);

/*
 * Passes another machine's connection, and what is needed of a sealed session (or NULL), to a
 * shadow or pager. Returns 0, or -errno: -EAGAIN it is busy, -ECONNRESET it has ended.
 */
int peer_pass_machine(const struct peer *server, int fd,
		      const struct local_sealing *sealing);

/* Answers a request; a device stops waiting. */
void peer_answer(struct daemon *daemon, struct peer *peer, int status);

/* The same with flags: LOCAL_LINGERS or 0. */
void peer_answer_flags(struct daemon *daemon, struct peer *peer, int status,
		       uint32_t flags);

/*
 * LOCAL_KEEP, with a descriptor or -EMFILE in *fd: keeps it, or says that it cannot.
 * `server`: the pidfd of the process that serves it.
 */
void peer_keep(struct daemon *daemon, struct peer *peer,
	       const struct local_message *message, int *fd, int server);

/* Makes a device wait; the caller sets the place or the pager. */
void peer_wait(struct peer *device, enum device_waits what);

/*
 * Sets pidfd to its process, -1 on failure, and closes the peer when that ends: another
 * process may still have its end of the channel open.
 */
void peer_watch_process(struct daemon *daemon, struct peer *peer);

/* Handles expired deadlines. Returns the ms until the next one, or -1. */
int peers_expire(struct daemon *daemon);

/* Frees the peers that have been closed. */
void peers_sweep(struct daemon *daemon);

#endif /* DAEMON_PEER_H */
