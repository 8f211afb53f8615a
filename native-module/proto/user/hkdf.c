// SPDX-License-Identifier: Apache-2.0
#define _GNU_SOURCE
#include "proto/user/hkdf.h"

#include <string.h>

#define INFO_MAX 4

void hkdf_sha256(const void *salt, size_t salt_size, const void *key,
		 size_t key_size, const struct hmac_part *info, size_t info_count,
		 void *out, size_t size)
{
	const struct hmac_part secret = { key, key_size };
	uint8_t extracted[SHA256_SIZE], block[SHA256_SIZE];
	struct hmac_part parts[INFO_MAX + 2];
	uint8_t number = 0;
	size_t i;

	hmac_sha256(salt, salt_size, &secret, 1, extracted);
	parts[0] = (struct hmac_part){ block, 0 };
	for (i = 0; i < info_count && i < INFO_MAX; i++)
		parts[1 + i] = info[i];
	parts[1 + i] = (struct hmac_part){ &number, sizeof(number) };
	while (size) {
		size_t n = size < sizeof(block) ? size : sizeof(block);

		number++;
		hmac_sha256(extracted, sizeof(extracted), parts, i + 2, block);
		parts[0].size = sizeof(block);
		memcpy(out, block, n);
		out = (char *)out + n;
		size -= n;
	}
	explicit_bzero(extracted, sizeof(extracted));
	explicit_bzero(block, sizeof(block));
}
