/* SPDX-License-Identifier: Apache-2.0 */
/* What is computed once for a key of AES-128-GCM, for both ways to use it. */
#ifndef PROTO_USER_AES_GCM_KEY_H
#define PROTO_USER_AES_GCM_KEY_H

#include <stdbool.h>
#include <stdint.h>

#define AES_GCM_KEY_SIZE   16
#define AES_GCM_NONCE_SIZE 12
#define AES_GCM_TAG_SIZE   16
/* Blocks that are worked on at once, at most. */
#define AES_GCM_POWERS 16

struct aes_gcm {
	uint8_t round_keys[11][16];
	/* H^16 to H^1, as elements of POLYVAL's field (RFC 8452, appendix A). */
	uint8_t powers[AES_GCM_POWERS][16];
	bool wide; /* by aes_gcm_wide.h */
} __attribute__((aligned(16)));

#endif /* PROTO_USER_AES_GCM_KEY_H */
