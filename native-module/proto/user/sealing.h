/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One end of a sealed session: its secrets and buffers. They are in a mapping of
 * their own that forked processes, and so snapshots, do not have.
 */
#ifndef PROTO_USER_SEALING_H
#define PROTO_USER_SEALING_H

#include "proto/user/record.h"

/* The longest message of a client after the handshake: WIRE_OPEN_BY_TOKEN. */
#define SEALED_MESSAGE_MAX  (sizeof(struct wire_header) + sizeof(struct wire_token))
#define SEALING_BUFFER_SIZE (4 * RECORD_MAX)

struct sealing {
	struct record_direction in, out;
	struct wire_record_secret in_secret, out_secret; /* to pass them on */
	/* The record of a client's message: a client's last, or what came of the next. */
	uint8_t message[RECORD_EXTRA + SEALED_MESSAGE_MAX];
	/* A client's: received records. A server's: records to be sent. */
	uint32_t begin, end; /* of what `buffer` has, bytes */
	uint32_t text_size;  /* of an opened record, from `text` on; a client's */
	const uint8_t *text;
	uint8_t buffer[SEALING_BUFFER_SIZE];
};

/* Returns NULL without memory. */
struct sealing *sealing_create(const struct wire_secrets *secrets, bool is_client);

void sealing_destroy(struct sealing *sealing);

/*
 * The functions below make no system call. The numbers are those of the next
 * record in each direction; `wide` is as of aes_gcm_init().
 */
void sealing_init(struct sealing *sealing, const struct wire_record_secret *in,
		  uint64_t in_number, const struct wire_record_secret *out,
		  uint64_t out_number, bool wide);

/*
 * The size of the record whose header is in `message`, or -errno: as
 * record_check_header(), and -EMSGSIZE if no message is that long.
 */
int sealing_message_size(const struct sealing *sealing);

/*
 * Opens the whole record in `message` into `text`, which has room for what
 * sealing_message_size() returned without RECORD_EXTRA. Returns the text's size or
 * -EBADMSG.
 */
int sealing_open_message(struct sealing *sealing, uint8_t *text);

#endif /* PROTO_USER_SEALING_H */
