/* SPDX-License-Identifier: Apache-2.0 */
/* Authentication of machines: the pre-shared key and the proofs of the handshake. */
#ifndef PROTO_USER_AUTH_H
#define PROTO_USER_AUTH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "proto/wire.h"
#include "uapi/mitosis.h"

struct auth {
	enum wire_auth kind;
	uint32_t machine_id; /* of this machine */
	size_t key_size;
	uint8_t key[MITOSIS_KEY_SIZE_MAX];
};

/*
 * Reads a key file: MITOSIS_KEY_SIZE_MIN to _MAX bytes, owned by this user or root,
 * not accessible to others (0600). Returns 0, or -errno: -EACCES accessible to
 * others, -EPERM another user's, -EINVAL its size.
 */
int auth_read_key(struct auth *auth, const char *path);

/* Wipes the key. A structure without one can only be used with WIRE_AUTH_NONE. */
void auth_forget(struct auth *auth);

/* Fills a hello with a fresh nonce. Returns 0 or -errno. */
int auth_hello(const struct auth *auth, struct wire_hello *hello);

/* The server's answer to a hello. Returns 0 or -errno (-EACCES: other auth, no key). */
int auth_challenge(const struct auth *auth, const struct wire_hello *hello,
		   struct wire_challenge *challenge);

/* The client checks the challenge and makes its proof. Returns 0 or -EACCES. */
int auth_prove(const struct auth *auth, const struct wire_hello *hello,
	       const struct wire_challenge *challenge, struct wire_proof *proof);

/* The server checks the proof. Returns 0 or -EACCES. */
int auth_check(const struct auth *auth, const struct wire_hello *hello,
	       const struct wire_challenge *challenge,
	       const struct wire_proof *proof);

#endif /* PROTO_USER_AUTH_H */
