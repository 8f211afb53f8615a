/* SPDX-License-Identifier: Apache-2.0 */
/* The client's end of a connection to another machine. Every wait has a deadline. */
#ifndef PROTO_USER_CONNECTION_H
#define PROTO_USER_CONNECTION_H

#include <netinet/in.h>
#include <stddef.h>

#include "proto/user/auth.h"

/* The deadline of a step, in ms; $MITOSIS_DEADLINE_MS overrides the default. */
int wire_deadline_ms(void);

/*
 * Connects and does the handshake. Sets *machine_id to the server's. Returns a
 * socket, or -errno: that of connect(); -EACCES the keys differ; -EPROTONOSUPPORT other
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

/* Receives exactly `size` bytes. Returns 0, -ECONNRESET or -ETIMEDOUT. */
int wire_receive(int fd, void *bytes, size_t size);

/* Sends a request whose answer has no body, such as WIRE_NIL, and receives that. */
int wire_call(int fd, enum wire_type type, const void *body, size_t size);

struct wire_header wire_header(enum wire_type type, int32_t status, uint32_t length);

#endif /* PROTO_USER_CONNECTION_H */
