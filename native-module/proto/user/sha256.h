/* SPDX-License-Identifier: Apache-2.0 */
/*
 * SHA-256 and HMAC-SHA-256 (FIPS 180-4, RFC 2104), for the handshake between machines and for the
 * contents of files. A shadow could not call a library.
 */
#ifndef PROTO_USER_SHA256_H
#define PROTO_USER_SHA256_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define SHA256_SIZE 32

#define SHA256_BLOCK 64

struct sha256 {
	uint32_t state[8];
	uint64_t size; /* bytes so far */
	bool by_cpu;   /* which has instructions for it */
	uint8_t block[SHA256_BLOCK];
};

void sha256_init(struct sha256 *h);
/*
 * For much data without secrets: by the CPU's instructions, if it has them. Asking the CPU (cpuid) takes long
 * in a virtual machine: to hash many messages, copy the initialized state.
 */
void sha256_init_bulk(struct sha256 *h);
void sha256_update(struct sha256 *h, const void *bytes, size_t size);
void sha256_final(struct sha256 *h, uint8_t digest[SHA256_SIZE]);

/* A part of a message. */
struct hmac_part {
	const void *bytes;
	size_t size;
};

void hmac_sha256(const void *key, size_t key_size, const struct hmac_part *parts,
		 size_t part_count, uint8_t mac[SHA256_SIZE]);

/* Takes the same time wherever two MACs differ. */
int mac_equal(const uint8_t a[SHA256_SIZE], const uint8_t b[SHA256_SIZE]);

#endif /* PROTO_USER_SHA256_H */
