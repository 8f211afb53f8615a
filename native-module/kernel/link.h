/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A TCP connection to another machine, and the messages on it: proto/wire.h.
 * Used by kernel threads only, which no signal interrupts; every wait ends
 * with the link's deadline. One user at a time.
 */
#ifndef MITOSIS_LINK_H
#define MITOSIS_LINK_H

#include <linux/socket.h>
#include <linux/uio.h>

#include "proto/wire.h"

struct socket;

struct link {
	struct socket *socket;
	unsigned int deadline_ms;	/* for each message */
};

/* "tcp://host:port". Returns 0 or -EINVAL. */
int mitosis_link_parse(const char *text, struct sockaddr_storage *address);

/*
 * Connects and shakes hands. `machine_id` gets who is there. Returns 0 or -errno:
 * that of connect(2); -EACCES the keys differ; -EPROTONOSUPPORT other version;
 * -EMSGSIZE other length; -EPROTO no server of ours; -ETIMEDOUT, -ECONNRESET.
 */
int mitosis_link_connect(const struct sockaddr_storage *address, unsigned int deadline_ms,
			 struct link **link, u32 *machine_id);

/* Takes over a socket that was accepted. NULL: no memory; it is released. */
struct link *mitosis_link_accept(struct socket *socket, unsigned int deadline_ms);
void mitosis_link_close(struct link *link);

/* Ends both directions: whoever waits on it goes on with -ECONNRESET. */
void mitosis_link_shut(struct link *link);

/* One message whose body is `count` parts. `more`: another one follows at once. */
int mitosis_link_send(struct link *link, enum wire_type type, int status,
		      struct kvec *parts, size_t count, size_t size, bool more);

/* A message with a body of one part, or none. */
int mitosis_link_send_body(struct link *link, enum wire_type type, void *body,
			   size_t size);

/* Receives exactly that much. */
int mitosis_link_receive(struct link *link, struct kvec *parts, size_t count,
			 size_t size);
int mitosis_link_receive_body(struct link *link, void *body, size_t size);

/* Whatever it says. Waits `ms` for its first byte: -EAGAIN, when none came. */
int mitosis_link_receive_header(struct link *link, struct wire_header *header,
				unsigned int ms);

/* 0, -EPROTO: it is none, -EPROTONOSUPPORT: it is of another version. */
int mitosis_link_check_header(const struct wire_header *header);

/*
 * The header of an answer. Returns 0 with the length of its body, or -errno: its
 * status, -EPROTO, -EPROTONOSUPPORT, -ECONNRESET, -ETIMEDOUT.
 */
int mitosis_link_receive_answer(struct link *link, u32 *length);
/* One that is to have no body; else -EMSGSIZE. */
int mitosis_link_receive_empty_answer(struct link *link);

#endif /* MITOSIS_LINK_H */
