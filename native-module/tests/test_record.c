// SPDX-License-Identifier: Apache-2.0
/*
 * Sealed records: each opens once, in its turn, unchanged, with the right secret.
 * HKDF-SHA-256: test cases 1 and 3 of RFC 5869.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <string.h>

#include "proto/user/hkdf.h"
#include "proto/user/record.h"
#include "tests/harness.h"

static const struct wire_record_secret secret = { "0123456789abcdef",
						  "nonce of 12" };
static char record[RECORD_MAX];

static struct record_direction direction(uint64_t number)
{
	struct record_direction d;

	record_direction_init(&d, &secret, number, false);
	return d;
}

/* What the receiver says of the bytes; 0 if they open to `text`. */
static int received(struct record_direction *from, const char *bytes,
		    const char *text, size_t size)
{
	static char opened[WIRE_RECORD_TEXT_MAX];
	struct wire_record header;
	int err;

	memcpy(&header, bytes, sizeof(header));
	err = record_check_header(from, &header);
	if (!err)
		err = record_open(from, &header, bytes + sizeof(header), opened);
	if (!err) {
		CHECK_EQ(header.size, size);
		CHECK(!memcmp(opened, text, size));
	}
	return err;
}

static void in_their_turn(void)
{
	struct record_direction sender = direction(0), receiver = direction(0);
	char first[RECORD_EXTRA + 5], second[RECORD_EXTRA + 6];

	record_seal(&sender, "first", 5, first);
	record_seal(&sender, "second", 6, second);
	CHECK_EQ(received(&receiver, second, "second", 6), -EILSEQ);
	CHECK_EQ(received(&receiver, first, "first", 5), 0);
	CHECK_EQ(received(&receiver, first, "first", 5), -EALREADY);
	CHECK_EQ(received(&receiver, second, "second", 6), 0);
	CHECK_EQ(receiver.number, 2);
}

static void renumbered_ones_do_not_open(void)
{
	struct record_direction sender = direction(0), receiver = direction(1);
	struct wire_record header;

	record_seal(&sender, "text", 4, record);
	memcpy(&header, record, sizeof(header));
	header.number = 1;
	memcpy(record, &header, sizeof(header));
	CHECK_EQ(received(&receiver, record, "text", 4), -EBADMSG);
	CHECK_EQ(receiver.number, 1);
}

static void of_another_session(void)
{
	struct record_direction sender = direction(7), receiver;
	struct wire_record_secret other = secret;

	record_seal(&sender, "text", 4, record);
	other.key[0] ^= 1;
	record_direction_init(&receiver, &other, 7, false);
	CHECK_EQ(received(&receiver, record, "text", 4), -EBADMSG);
	other = secret;
	other.iv[AES_GCM_NONCE_SIZE - 1] ^= 1;
	record_direction_init(&receiver, &other, 7, false);
	CHECK_EQ(received(&receiver, record, "text", 4), -EBADMSG);
	receiver = direction(7);
	CHECK_EQ(received(&receiver, record, "text", 4), 0);
}

/* The record that the kernel module's selftest.c has, too, from another library. */
static void as_others_seal_it(void)
{
	static const uint8_t expected[] = {
		0x4d, 0x54, 0x52, 0x32, 0x04, 0x00, 0x00, 0x00, 0x07,
		0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x96, 0xb2,
		0x7e, 0x88, 0xbf, 0xf7, 0x6c, 0x11, 0xe9, 0x63, 0x50,
		0xe2, 0xfc, 0xf3, 0x22, 0x3a, 0x66, 0x19, 0x16, 0x21,
	};
	struct record_direction sender = direction(7);

	record_seal(&sender, "text", 4, record);
	CHECK(!memcmp(record, expected, sizeof(expected)));
}

static void every_changed_byte(void)
{
	struct record_direction sender = direction(0), receiver = direction(0);
	char text[100] = "a hundred bytes";
	size_t i;

	record_seal(&sender, text, sizeof(text), record);
	for (i = 0; i < RECORD_EXTRA + sizeof(text); i++) {
		record[i] ^= 0x80;
		CHECK(received(&receiver, record, text, sizeof(text)) < 0);
		CHECK_EQ(receiver.number, 0);
		record[i] ^= 0x80;
	}
	CHECK_EQ(received(&receiver, record, text, sizeof(text)), 0);
}

static void sizes(void)
{
	static char text[WIRE_RECORD_TEXT_MAX];
	struct record_direction sender = direction(0), receiver = direction(0);
	struct wire_record header = { WIRE_RECORD_MAGIC, 0, 0 };

	CHECK_EQ(record_check_header(&receiver, &header), -EMSGSIZE);
	header.size = WIRE_RECORD_TEXT_MAX + 1;
	CHECK_EQ(record_check_header(&receiver, &header), -EMSGSIZE);
	header.size = WIRE_RECORD_TEXT_MAX;
	CHECK_EQ(record_check_header(&receiver, &header), 0);
	header.magic ^= 1;
	CHECK_EQ(record_check_header(&receiver, &header), -EPROTO);
	memset(text, 'x', sizeof(text));
	record_seal(&sender, text, sizeof(text), record);
	CHECK_EQ(received(&receiver, record, text, sizeof(text)), 0);
}

static void check_hkdf(const char *salt, size_t salt_size, size_t key_size,
		       const struct hmac_part *info, const char *expected)
{
	uint8_t key[22], out[42];
	char hex[2 * sizeof(out) + 1];
	size_t i;

	memset(key, 0x0b, sizeof(key));
	hkdf_sha256(salt, salt_size, key, key_size, info, 1, out, sizeof(out));
	for (i = 0; i < sizeof(out); i++)
		sprintf(hex + 2 * i, "%02x", out[i]);
	CHECK(!strcmp(hex, expected));
}

static void hkdf_vectors(void)
{
	const struct hmac_part info = {
		"\xf0\xf1\xf2\xf3\xf4\xf5\xf6\xf7\xf8\xf9", 10,
	}, none = { "", 0 };

	check_hkdf("\x00\x01\x02\x03\x04\x05\x06\x07\x08\x09\x0a\x0b\x0c", 13, 22,
		   &info,
		   "3cb25f25faacd57a90434f64d0362f2a2d2d0a90cf1a5a4c5db02d56"
		   "ecc4c5bf34007208d5b887185865");
	check_hkdf("", 0, 22, &none,
		   "8da4e775a563c18f715f802a063c5a31b8a11f5c5ee187"
		   "9ec3454e5f3c738d2d9d201395faa4b61a96c8");
}

int main(void)
{
	hkdf_vectors();
	if (!aes_gcm_available())
		skip("a CPU with AES and PCLMULQDQ");
	in_their_turn();
	renumbered_ones_do_not_open();
	of_another_session();
	as_others_seal_it();
	every_changed_byte();
	sizes();
	return 0;
}
