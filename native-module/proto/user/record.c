// SPDX-License-Identifier: Apache-2.0
#include "proto/user/record.h"

#include <errno.h>
#include <string.h>

void record_direction_init(struct record_direction *direction,
			   const struct wire_record_secret *secret, uint64_t number,
			   bool wide)
{
	aes_gcm_init(&direction->gcm, secret->key, wide);
	memcpy(direction->iv, secret->iv, sizeof(direction->iv));
	direction->number = number;
}

static void make_nonce(const struct record_direction *direction,
		       uint8_t nonce[AES_GCM_NONCE_SIZE])
{
	size_t i;

	memcpy(nonce, direction->iv, AES_GCM_NONCE_SIZE);
	for (i = 0; i < sizeof(direction->number); i++)
		nonce[AES_GCM_NONCE_SIZE - 1 - i] ^= direction->number >> 8 * i;
}

void record_seal(struct record_direction *direction, const void *text, size_t size,
		 void *record)
{
	const struct wire_record header = {
		.magic = WIRE_RECORD_MAGIC,
		.size = size,
		.number = direction->number,
	};
	uint8_t nonce[AES_GCM_NONCE_SIZE];
	uint8_t *sealed = (uint8_t *)record + sizeof(header);

	make_nonce(direction, nonce);
	memcpy(record, &header, sizeof(header));
	aes_gcm_seal(&direction->gcm, nonce, &header, sizeof(header), text, sealed,
		     size, sealed + size);
	direction->number++;
}

int record_check_header(const struct record_direction *direction,
			const struct wire_record *header)
{
	if (header->magic != WIRE_RECORD_MAGIC)
		return -EPROTO;
	if (!header->size || header->size > WIRE_RECORD_TEXT_MAX)
		return -EMSGSIZE;
	if (header->number < direction->number)
		return -EALREADY;
	return header->number > direction->number ? -EILSEQ : 0;
}

int record_open(struct record_direction *direction, const struct wire_record *header,
		const void *sealed, void *text)
{
	const uint8_t *tag = (const uint8_t *)sealed + header->size;
	uint8_t nonce[AES_GCM_NONCE_SIZE];

	make_nonce(direction, nonce);
	if (!aes_gcm_open(&direction->gcm, nonce, header, sizeof(*header), sealed,
			  text, header->size, tag))
		return -EBADMSG;
	direction->number++;
	return 0;
}
