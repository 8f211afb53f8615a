/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The steps of AES-128-GCM for CPUs that do four blocks by one instruction (VAES and
 * VPCLMULQDQ on registers of 512 bits). As aes_gcm.h: constant time, no library.
 */
#ifndef PROTO_USER_AES_GCM_WIDE_H
#define PROTO_USER_AES_GCM_WIDE_H

#include <immintrin.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "proto/user/aes_gcm_key.h"

/*
 * Whether this CPU has the instructions, and the system keeps the registers. Asks by CPUID, which
 * takes microseconds in a virtual machine.
 */
bool aes_gcm_wide_available(void);

/*
 * Encrypts or decrypts as many whole steps as there are, returns their bytes, and moves *state, of
 * the hash, and *counter, bytes reversed, on by them.
 */
size_t aes_gcm_seal_wide(const struct aes_gcm *gcm, __m128i *state, __m128i *counter,
			 const uint8_t *text, uint8_t *sealed, size_t size);
size_t aes_gcm_open_wide(const struct aes_gcm *gcm, __m128i *state, __m128i *counter,
			 const uint8_t *sealed, uint8_t *text, size_t size);

#endif /* PROTO_USER_AES_GCM_WIDE_H */
