/* SPDX-License-Identifier: Apache-2.0 */
/*
 * AES-128-GCM (NIST SP 800-38D) by the CPU's AES and carry-less multiplication
 * instructions, in constant time. It calls nothing and writes to nothing but its
 * arguments and the stack: a page server seals in a process that must not call a
 * library, as its memory is the snapshot.
 */
#ifndef PROTO_USER_AES_GCM_H
#define PROTO_USER_AES_GCM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "proto/user/aes_gcm_key.h"

/* Whether this CPU has the instructions: AES, PCLMULQDQ and SSSE3. */
bool aes_gcm_available(void);

/* `wide`: aes_gcm_wide_available() says so, or false. */
void aes_gcm_init(struct aes_gcm *gcm, const uint8_t key[AES_GCM_KEY_SIZE],
		  bool wide);

/*
 * Encrypts `size` bytes; `text` and `sealed` are the same or do not overlap. A
 * nonce must never be used twice with a key.
 */
void aes_gcm_seal(const struct aes_gcm *gcm, const uint8_t nonce[AES_GCM_NONCE_SIZE],
		  const void *aad, size_t aad_size, const void *text, void *sealed,
		  size_t size, uint8_t tag[AES_GCM_TAG_SIZE]);

/*
 * Decrypts. False if nonce, associated data, bytes or tag are not those of one
 * aes_gcm_seal(); `text` then holds bytes that must not be used.
 */
bool aes_gcm_open(const struct aes_gcm *gcm, const uint8_t nonce[AES_GCM_NONCE_SIZE],
		  const void *aad, size_t aad_size, const void *sealed, void *text,
		  size_t size, const uint8_t tag[AES_GCM_TAG_SIZE]);

#endif /* PROTO_USER_AES_GCM_H */
