/* SPDX-License-Identifier: Apache-2.0 */
/* Reaching this machine's mitosisd, and starting it on first need. */
#ifndef LIB_DAEMON_LINK_H
#define LIB_DAEMON_LINK_H

#include <stdint.h>
#include <sys/un.h>

#include "local/protocol.h"
#include "local/registry.h"

struct daemon_link {
	int channel;
	uint32_t device; /* the number that the daemon gave this device */
	struct registry *registry;
	struct sockaddr_un address; /* of the daemon */
};

/* A channel that a shadow inherits. */
struct reserved_channel {
	int fd; /* -1: none */
	uint32_t number;
};

/* Opens a link within 5 s. Returns 0 or -errno with a message. */
int daemon_link_open(struct daemon_link *link);

/*
 * Closes it, and drops the snapshot that its device holds unless that is
 * pinned. Returns LOCAL_LINGERS or 0, as daemon_link_call().
 */
int daemon_link_close(struct daemon_link *link);

/*
 * Sends a message and waits for its answer, at most 5 s; the answer replaces
 * the message. Returns its status, or -errno with a message; *fd gets the
 * descriptor that came with it, or -1.
 */
int daemon_link_call(struct daemon_link *link, struct local_message *message,
		     int *fd);

/* The same; passes descriptor `sent` unless it is -1. */
int daemon_link_call_with(struct daemon_link *link, struct local_message *message,
			  int sent, int *fd);

/* Opens a channel for the device's next shadow. Returns 0 or -errno with a message. */
int daemon_link_reserve(struct daemon_link *link, struct reserved_channel *channel);

/* The stream is for one child: the caller itself. */
#define ATTACH_ONCE (-1)

/*
 * Gets a stream to what serves a snapshot, with deadlines set, and, unless NULL,
 * its place in the registry, and what the kernel says that its parent has. `cpu` is where children will be started, or
 * ATTACH_ONCE; `flags` are LOCAL_LIKE_CALLER or none. Returns 0 or -errno with a message: -ENOENT no such snapshot,
 * -EXDEV not for LOCAL_LIKE_CALLER, -ETIMEDOUT its shadow does not take the stream.
 */
int daemon_link_attach(struct daemon_link *link, uint32_t handler_id, int cpu,
		       uint32_t flags, int *stream, struct registry_place *place,
		       struct parent_rights *parent);

/* One pager has the replica for children on all CPUs. */
#define REPLICA_CPU 0

/*
 * The same for a snapshot of another machine, also with the flag LOCAL_FORKS: its replica forks the children. Also
 * -ENOTCONN no session, and the errors of connecting to that machine.
 */
int daemon_link_attach_remote(struct daemon_link *link, uint32_t machine_id,
			      uint32_t handler_id, int cpu, uint32_t flags,
			      int *stream);

/*
 * Whether it is worth another call after -ECONNRESET: a pager that finds that its snapshot was
 * dropped hangs up, and there can be one for each CPU and one for none before the one of the next
 * snapshot. `*calls` counts them, from 0.
 */
bool daemon_link_calls_again(int *calls);

/* -ENOENT, with the message that names the handler id. */
int daemon_link_unknown(uint32_t handler_id);

/* -ECONNRESET, with the message on what to do when the daemon has ended. */
int daemon_link_gone(void);

#endif /* LIB_DAEMON_LINK_H */
