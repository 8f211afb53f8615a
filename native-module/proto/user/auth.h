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
	enum wire_protection protection;
	uint32_t machine_id; /* of this machine */
	size_t key_size;
	uint8_t key[MITOSIS_KEY_SIZE_MAX];
};

/* What both ends of a connection know by the end of their handshake. */
struct handshake {
	struct wire_hello hello;
	struct wire_challenge challenge;
	struct wire_binding binding; /* WIRE_PROTECTION_SEALED */
};

/*
 * Reads a key file: MITOSIS_KEY_SIZE_MIN to _MAX bytes, owned by this user or root,
 * not accessible to others (0600). Returns 0, or -errno: -EACCES accessible to
 * others, -EPERM another user's, -EINVAL its size.
 */
int auth_read_key(struct auth *auth, const char *path);

/* Wipes the key. Without one, only WIRE_PROTECTION_NONE is possible. */
void auth_forget(struct auth *auth);

/* "sealed", "handshake", "none"; "unknown" for a number that is none of them. */
const char *auth_protection_name(uint32_t protection);

/* Fills the binding from a connected socket. Returns 0 or -errno. */
int auth_bind(struct handshake *handshake, int fd, bool is_client);

/* Fills the hello, with a fresh nonce. Returns 0 or -errno. */
int auth_hello(const struct auth *auth, struct handshake *handshake);

/*
 * Fills the server's answer to a hello. Returns 0, -EACCES without a key, -EIO, or
 * -EPROTOTYPE with an answer that tells the client the server's protection.
 */
int auth_challenge(const struct auth *auth, struct handshake *handshake);

/*
 * The client checks the challenge and makes its proof. Returns 0, -EACCES, or
 * -EPROTOTYPE if the server's protection differs.
 */
int auth_prove(const struct auth *auth, const struct handshake *handshake,
	       struct wire_proof *proof);

/* The server checks the proof. Returns 0 or -EACCES. */
int auth_check(const struct auth *auth, const struct handshake *handshake,
	       const struct wire_proof *proof);

/* The secrets of a sealed session whose proofs have been checked. */
void auth_secrets(const struct auth *auth, const struct handshake *handshake,
		  struct wire_secrets *secrets);

/*
 * What proves to the server's RDMA connection manager that it is connected by the
 * client of a session whose proofs have been checked. Never sent over TCP. Returns 0
 * or -EACCES without a key.
 */
int auth_rdma_token(const struct auth *auth, const struct handshake *handshake,
		    uint32_t handler_id, uint8_t token[WIRE_RDMA_TOKEN_SIZE]);

#endif /* PROTO_USER_AUTH_H */
