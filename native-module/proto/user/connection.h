/* SPDX-License-Identifier: Apache-2.0 */
/* The client's end of a connection to another machine. Every wait has a deadline. */
#ifndef PROTO_USER_CONNECTION_H
#define PROTO_USER_CONNECTION_H

#include <netinet/in.h>
#include <stdbool.h>
#include <stddef.h>

#include "proto/user/auth.h"
#include "proto/user/sealing.h"

/* The deadline of a step, in ms; $MITOSIS_DEADLINE_MS overrides the default. */
int wire_deadline_ms(void);

struct wire_connection {
	int fd;
	int failure; /* 0, or -errno: what ended it, of every later call */
	int deadline_ms;
	int late_ms;		 /* of wire_set_late(); 0: no answer is late */
	int waited_ms;		 /* in vain, for what comes next */
	bool tells_late;	 /* what comes next is the first of an answer */
	struct sealing *sealing; /* NULL: messages travel as they are */
	uint32_t machine_id;	 /* of the server */
	uint32_t its_protection; /* enum wire_protection of the server */
	struct handshake handshake;
};

/*
 * Connects and does the handshake. Returns 0, or -errno: that of connect(); -EACCES
 * the keys or the addresses that both ends see differ; -EPROTOTYPE the protections
 * differ (`its_protection`); -EPROTONOSUPPORT other version; -EMSGSIZE other
 * length; -EPROTO no mitosisd; -ETIMEDOUT, -ECONNRESET.
 */
int wire_connect(struct wire_connection *connection,
		 const struct sockaddr_in6 *address, const struct auth *auth);

/* The same with another deadline than wire_deadline_ms(). */
int wire_connect_within(struct wire_connection *connection,
			const struct sockaddr_in6 *address, const struct auth *auth,
			int deadline_ms);

void wire_close(struct wire_connection *connection);

/* An answer that has not begun within that time is late. The deadline stays. Returns 0 or -errno. */
int wire_set_late(struct wire_connection *connection, int ms);

/*
 * Ends the use of a connection whose stream is not understood any more: without a whole
 * answer, or with one of another length, what comes next would be taken for the answer
 * to another request. Calls below do so on each failure but an answer's status. Returns
 * the first failure.
 */
int wire_fail(struct wire_connection *connection, int err);

/*
 * What a failure of the calls below means, for messages: those of a sealed
 * session are -EALREADY a repeated record, -EILSEQ missing or reordered ones,
 * -EBADMSG a changed one, -EPROTO and -EMSGSIZE no record.
 */
const char *wire_problem(int err);

/* Sends a message. Returns 0, -ECONNRESET or -ETIMEDOUT. */
int wire_send(struct wire_connection *connection, enum wire_type type,
	      const void *body, size_t size);

/*
 * Receives the header of an answer. Returns 0 with the length of its body, or
 * -errno: the answer's status, -EPROTO, -EPROTONOSUPPORT, -ECONNRESET, -ETIMEDOUT.
 */
int wire_receive_answer(struct wire_connection *connection, uint32_t *length);

/* Whether bytes of the next answer have been received already, with those of the one before. */
bool wire_has_begun(const struct wire_connection *connection);

/* As wire_receive_answer(); or returns 0 and sets *late, and may be called again for that answer. */
int wire_receive_answer_in_time(struct wire_connection *connection, uint32_t *length,
				bool *late);

/*
 * Receives the first answer to WIRE_OPEN: what its machine's kernel says that the parent has.
 * Returns 0, or -errno as above; -EMSGSIZE or -EBADMSG for rights that no mitosisd tells.
 */
int wire_receive_rights(struct wire_connection *connection,
			struct wire_rights *rights);

/* Receives exactly `size` bytes. Returns 0, -ECONNRESET or -ETIMEDOUT. */
int wire_receive(struct wire_connection *connection, void *bytes, size_t size);

/* Sends a request whose answer has no body, such as WIRE_NIL, and receives that. */
int wire_call(struct wire_connection *connection, enum wire_type type,
	      const void *body, size_t size);

struct wire_header wire_header(enum wire_type type, int32_t status, uint32_t length);

#endif /* PROTO_USER_CONNECTION_H */
