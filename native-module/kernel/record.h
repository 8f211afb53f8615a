/* SPDX-License-Identifier: GPL-2.0 */
/* Sealing and opening the records of a session: struct wire_record. */
#ifndef MITOSIS_RECORD_H
#define MITOSIS_RECORD_H

#include <linux/scatterlist.h>
#include <linux/types.h>
#include <linux/uio.h>

#include "proto/wire.h"

#define RECORD_EXTRA (sizeof(struct wire_record) + WIRE_RECORD_TAG_SIZE)
/*
 * The pages that the text of one record may be in: those of its longest text, two more
 * because it need not begin at the start of one, and one for a message's header.
 */
#define RECORD_PIECES_MAX (WIRE_RECORD_TEXT_MAX / PAGE_SIZE + 3)

struct aead_request;
struct crypto_aead;

/*
 * One direction of a session. Allocated by mitosis_record_init(): the cipher needs the
 * memory of all that it reads and writes by its pages.
 */
struct record_direction {
	struct crypto_aead *cipher;
	struct aead_request *request;
	u64 number;		   /* of the next record */
	struct wire_record header; /* of the record that is sealed or opened */
	u8 tag[WIRE_RECORD_TAG_SIZE];
	u8 nonce[WIRE_RECORD_IV_SIZE];
	u8 iv[WIRE_RECORD_IV_SIZE];
	/* Header, text and tag. */
	struct scatterlist from[RECORD_PIECES_MAX + 2], to[RECORD_PIECES_MAX + 2];
};

/* Whether this kernel has the cipher: 0 or -errno, -ENOENT if not. */
int mitosis_record_available(void);

/* Returns the direction, or an ERR_PTR: -ENOENT this kernel has no cipher; -ENOMEM. */
struct record_direction *mitosis_record_create(const struct wire_record_secret *secret);
void mitosis_record_destroy(struct record_direction *direction);

/*
 * Whether text in these parts lies in few enough pages to be sealed or opened where it
 * is. The parts may be in any memory of the kernel.
 */
bool mitosis_record_fits(const struct kvec *parts, size_t count);

/*
 * Fills `header` and `tag`, and writes the encrypted text of `size` bytes to `sealed`.
 * The caller sends the three in this order. Returns 0 or -errno.
 */
int mitosis_record_seal(struct record_direction *direction, const struct kvec *parts, size_t count,
			u32 size, void *sealed);

/*
 * Checks what `header` alone can tell: 0, -EPROTO not a record, -EMSGSIZE, -EALREADY a
 * repeated record, -EILSEQ a record that skips others.
 */
int mitosis_record_check_header(const struct record_direction *direction);

/*
 * Opens, in place, the text of a record whose header has been checked and whose tag is in
 * `tag`. Returns 0, -EBADMSG if anything in it was changed, or another -errno; the text
 * must not be used then.
 */
int mitosis_record_open(struct record_direction *direction, const struct kvec *parts, size_t count);

#endif /* MITOSIS_RECORD_H */
