/* SPDX-License-Identifier: Apache-2.0 */
/* The client's side of a connection to another machine. Every wait ends. */
#ifndef PROTO_USER_CONNECTION_H
#define PROTO_USER_CONNECTION_H

#include <netinet/in.h>
#include <stddef.h>

#include "proto/user/auth.h"

/* How long a step may take, in ms, unless $MITOSIS_DEADLINE_MS says otherwise. */
int wire_deadline_ms(void);

/*
 * Connects and shakes hands. *machine_id gets the server's. Returns a socket or
 * -errno: that of connect(); -EACCES the keys differ; -EPROTONOSUPPORT other
 * version; -EMSGSIZE other length; -EPROTO no mitosisd; -ETIMEDOUT, -ECONNRESET.
 */
int wire_connect(const struct sockaddr_in6 *address, const struct auth *auth,
		 uint32_t *machine_id);

/* Sends a message. Returns 0, -ECONNRESET or -ETIMEDOUT. */
int wire_send(int fd, enum wire_type type, const void *body, size_t size);

/*
 * Receives the header of an answer. Returns 0 with the length of its body, or
 * -errno: the answer's status, -EPROTO, -EPROTONOSUPPORT, -ECONNRESET, -ETIMEDOUT.
 */
int wire_receive_answer(int fd, uint32_t *length);

/* Receives exactly that much. Returns 0, -ECONNRESET or -ETIMEDOUT. */
int wire_receive(int fd, void *bytes, size_t size);

/* A request without a body in its answer, such as WIRE_NIL. */
int wire_call(int fd, enum wire_type type, const void *body, size_t size);

struct wire_header wire_header(enum wire_type type, int32_t status,
			       uint32_t length);

#endif /* PROTO_USER_CONNECTION_H */
