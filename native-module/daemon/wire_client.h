/* SPDX-License-Identifier: Apache-2.0 */
/* A connection from another machine, from its handshake until a page server has it. */
#ifndef DAEMON_WIRE_CLIENT_H
#define DAEMON_WIRE_CLIENT_H

#include <netinet/in.h>

#include "daemon/peer.h"
#include "proto/user/connection.h"

/* The longest body. */
#define WIRE_BODY_MAX sizeof(struct wire_challenge)

enum wire_state {
	EXPECTS_HELLO,
	EXPECTS_PROOF,
	EXPECTS_REQUEST,
	WAITS_FOR_ITS_SHADOW, /* WIRE_OPEN came before the shadow registered */
	WAITS_FOR_PORTER,     /* WIRE_RDMA */
	WAITS_FOR_ITS_PAGER,  /* WIRE_OPEN_REPLICA came before that was ready */
};

struct wire_client {
	struct event_source source; /* first */
	struct wire_client *next;
	int fd;			 /* -1: closed */
	struct in6_addr machine; /* its address */
	enum wire_state state;
	int64_t deadline_ms; /* for the handshake, or for WIRE_OPEN */
	struct handshake shake;
	struct sealing *sealing; /* after the handshake of a sealed session */
	uint32_t handler_id;	 /* WAITS_FOR_ITS_SHADOW */
	uint64_t snapshot;	 /* that of its WIRE_RIGHTS; 0: none was sent */
	struct remote_snapshot replica_of; /* WAITS_FOR_ITS_PAGER */
	uint32_t grant;			   /* WAITS_FOR_PORTER: its number */
	struct wire_rdma rdma;		   /* WAITS_FOR_PORTER: what it gets */
	size_t filled; /* bytes of `message`, or of `sealing->message` */
	struct {
		struct wire_header header;
		uint8_t body[WIRE_BODY_MAX];
	} message;
};

/* A reply fits into an empty send buffer. A client that lets it fill is dropped. */
void wire_client_reply(struct daemon *daemon, struct wire_client *client,
		       enum wire_type type, int status, const void *body,
		       size_t size);

/*
 * Hands the connection, with what is needed of a sealed session, to a pager or, if that is NULL, to
 * the shadow of the client's handler id, which answers. Returns 0, and the connection is closed here; or
 * -errno.
 */
int wire_client_hand_over(struct daemon *daemon, struct wire_client *client,
			  struct peer *pager);

/* When it is too late to hand a client over; that has wire_deadline_ms() itself. */
int64_t wire_client_deadline_ms(void);

/* Closes the connection; the client stays in the list until wire_expire(). */
void wire_client_drop(struct daemon *daemon, struct wire_client *client);

#endif /* DAEMON_WIRE_CLIENT_H */
