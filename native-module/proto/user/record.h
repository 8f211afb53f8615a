/* SPDX-License-Identifier: Apache-2.0 */
/* Sealing and opening the records of a session: struct wire_record. */
#ifndef PROTO_USER_RECORD_H
#define PROTO_USER_RECORD_H

#include <stddef.h>
#include <stdint.h>

#include "proto/user/aes_gcm.h"
#include "proto/wire.h"

#define RECORD_EXTRA (sizeof(struct wire_record) + WIRE_RECORD_TAG_SIZE)
#define RECORD_MAX   (WIRE_RECORD_TEXT_MAX + RECORD_EXTRA)

/* One direction of a session, as its sender or its receiver keeps it. */
struct record_direction {
	struct aes_gcm gcm;
	uint8_t iv[WIRE_RECORD_IV_SIZE];
	uint64_t number; /* of the next record */
};

/*
 * `number`: of the first record; not 0 if the session began in another process. `wide` is as of
 * aes_gcm_init().
 */
void record_direction_init(struct record_direction *direction,
			   const struct wire_record_secret *secret, uint64_t number,
			   bool wide);

/* Writes a record of RECORD_EXTRA + size bytes. */
void record_seal(struct record_direction *direction, const void *text, size_t size,
		 void *record);

/*
 * Checks what a header alone can tell. Returns 0, or -EPROTO not a record, -EMSGSIZE,
 * -EALREADY a repeated record, -EILSEQ a record that skips others. Only record_open()
 * tells whether the header is authentic.
 */
int record_check_header(const struct record_direction *direction,
			const struct wire_record *header);

/*
 * Opens a record whose header has been checked; `sealed` is its text and tag.
 * Returns 0, or -EBADMSG if anything in it was changed. `text` must not be used then.
 */
int record_open(struct record_direction *direction, const struct wire_record *header,
		const void *sealed, void *text);

#endif /* PROTO_USER_RECORD_H */
