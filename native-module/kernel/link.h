/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A TCP connection to another machine, and the messages on it: proto/wire.h.
 * Used by kernel threads only, which signals do not interrupt; every wait ends at
 * the link's deadline. A link must not be used by two threads at once.
 */
#ifndef MITOSIS_LINK_H
#define MITOSIS_LINK_H

#include <linux/socket.h>
#include <linux/uio.h>

#include "proto/wire.h"

struct handshake;
struct net;
struct sealing;
struct shares;
struct socket;

struct link {
	struct socket *socket;
	unsigned int deadline_ms; /* for each message */
	struct sealing *sealing;  /* NULL: messages are plain */
	int failure;		  /* 0, or -errno: what ended it, of every later request */
	u64 session;		  /* the number of its session, for session.c */
	u32 user;		  /* in whose share of mitosis_links it is */
};

/*
 * Connects in a network namespace, which the socket holds until it is destroyed, and
 * performs the handshake. Returns 0 with the peer's machine id, or
 * -errno: as connect(2); -EACCES the keys differ; -EPROTOTYPE the protections
 * differ (told in the log); -EPROTONOSUPPORT the protocol versions differ; -EMSGSIZE a message of another length; -EPROTO the peer is not
 * a mitosis server; -ETIMEDOUT; -ECONNRESET.
 */
int mitosis_link_connect(struct net *net, const struct sockaddr_storage *address,
			 unsigned int deadline_ms, struct link **link, u32 *machine_id);

/* The same with the handshake, which the caller fills with zeros before and after. */
int mitosis_link_open(struct net *net, const struct sockaddr_storage *address,
		      unsigned int deadline_ms, struct link **link, struct handshake *handshake);

/* Links to other machines, of each user's children: their servers have places for a number. */
extern struct shares mitosis_links;

/* Takes over an accepted socket. On lack of memory releases it and returns NULL. */
struct link *mitosis_link_accept(struct socket *socket, unsigned int deadline_ms);
void mitosis_link_close(struct link *link);

/* Shuts down both directions: a thread that waits on the link gets -ECONNRESET. */
void mitosis_link_shut(struct link *link);

/*
 * Makes the end of a sealed session whose proofs have been checked; NULL for a plain one.
 * The caller sets it as the link's `sealing` where records begin. Returns 0 or -errno.
 */
int mitosis_link_make_sealing(const struct handshake *handshake, bool is_client,
			      struct sealing **sealing);

/*
 * Ends the use of a link whose stream is not understood any more: without a whole answer,
 * or with one of another length, what comes next would be taken for the answer to another
 * request. The calls below do so on each failure but an answer's status. Returns the first
 * failure.
 */
int mitosis_link_fail(struct link *link, int err);

/* Sends a message; `status` is 0 but in answers, which can tell why the link has failed. */
int mitosis_link_send(struct link *link, enum wire_type type, int status, void *body, size_t size);
/* Sends a request, unless the link has failed. */
int mitosis_link_send_body(struct link *link, enum wire_type type, void *body, size_t size);

/*
 * Receive exactly `size` bytes. A sealed link returns -EPROTO, -EMSGSIZE, -EALREADY,
 * -EILSEQ or -EBADMSG, too, for a record that is not what was sent (PROTOCOL.md).
 */
int mitosis_link_receive(struct link *link, struct kvec *parts, size_t count, size_t size);
int mitosis_link_receive_body(struct link *link, void *body, size_t size);

/* Does not check the header. Returns -EAGAIN if no byte came within `ms`. */
int mitosis_link_receive_header(struct link *link, struct wire_header *header, unsigned int ms);

/* Whether an error of receiving tells that a record was refused. */
bool mitosis_link_is_refused(const struct link *link, int err);

/* Returns 0, -EPROTO for a wrong magic number, -EPROTONOSUPPORT for a version. */
int mitosis_link_check_header(const struct wire_header *header);

/*
 * Receives the header of an answer. Returns 0 with the length of the body, the
 * answer's status, -EPROTO, -EPROTONOSUPPORT, -ECONNRESET or -ETIMEDOUT.
 */
int mitosis_link_receive_answer(struct link *link, u32 *length);
/*
 * Receives the first answer to WIRE_OPEN: what its machine's kernel says that the parent has.
 * Returns 0, or as above; -EMSGSIZE or -EBADMSG for rights that no server tells.
 */
int mitosis_link_receive_rights(struct link *link, struct wire_rights *rights);
/* Receives an answer that must have no body; otherwise -EMSGSIZE. */
int mitosis_link_receive_empty_answer(struct link *link);

#endif /* MITOSIS_LINK_H */
