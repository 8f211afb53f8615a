/* SPDX-License-Identifier: Apache-2.0 */
/* HKDF-SHA-256 (RFC 5869): keys of a session from the pre-shared key. */
#ifndef PROTO_USER_HKDF_H
#define PROTO_USER_HKDF_H

#include "proto/user/sha256.h"

/* The most bytes that hkdf_sha256() makes. */
#define HKDF_SIZE_MAX (255 * SHA256_SIZE)

/* Extracts from `key` and expands by the concatenated `info` to `size` bytes. */
void hkdf_sha256(const void *salt, size_t salt_size, const void *key,
		 size_t key_size, const struct hmac_part *info, size_t info_count,
		 void *out, size_t size);

#endif /* PROTO_USER_HKDF_H */
