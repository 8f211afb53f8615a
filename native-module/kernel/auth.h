/* SPDX-License-Identifier: GPL-2.0 */
/* Authentication of machines: the pre-shared key and the handshake's proofs. */
#ifndef MITOSIS_AUTH_H
#define MITOSIS_AUTH_H

#include <linux/socket.h>

#include "proto/wire.h"

struct socket;

/* What both ends of a connection know by the end of their handshake. */
struct handshake {
	struct wire_hello hello;
	struct wire_challenge challenge;
	struct wire_binding binding; /* WIRE_PROTECTION_SEALED */
};

/*
 * Reads the parameters protection and key_file. Returns 0 or -errno. A module that does
 * not listen needs no key file: then mitosis_auth_ready() returns -EACCES.
 */
int mitosis_auth_init(void);
void mitosis_auth_exit(void);

/* Returns 0, or -EACCES if there is neither a key nor protection=none. */
int mitosis_auth_ready(void);

/* Whether the parameters allow connecting to or listening on an address. */
bool mitosis_auth_allows(const struct sockaddr_storage *address);

/* What other machines must have as MITOSIS_PROTECTION: "sealed", "handshake" or "none". */
const char *mitosis_auth_protection(void);

/* Whether pages may come by RDMA, which does not seal them. */
bool mitosis_auth_allows_rdma(void);

/* Whether what follows the handshake is in records. */
bool mitosis_auth_seals(void);

/* Begins the client's end: fills hello and binding. Returns 0 or -errno. */
int mitosis_auth_hello(struct handshake *handshake, struct socket *socket);

/*
 * The server's answer to a hello; fills the binding, too. Returns 0, -EACCES without a key, or -EPROTOTYPE with an answer
 * that tells a client whose protection differs the module's.
 */
int mitosis_auth_challenge(struct handshake *handshake, struct socket *socket);
/*
 * Checks the server's challenge and makes the client's proof: 0, -EACCES, or
 * -EPROTOTYPE if the server's protection differs.
 */
int mitosis_auth_prove(const struct handshake *handshake, struct wire_proof *proof);
/* Checks the client's proof: 0, -EACCES. */
int mitosis_auth_check(const struct handshake *handshake, const struct wire_proof *proof);

/* The secrets of a sealed session whose proofs have been checked. Returns 0 or -errno. */
int mitosis_auth_secrets(const struct handshake *handshake, struct wire_secrets *secrets);

/*
 * What proves to an RDMA connection manager that it is connected by the client of a session
 * whose proofs have been checked; never sent over TCP. Returns 0, -EPROTOTYPE unless
 * mitosis_auth_allows_rdma(), -EACCES without a key, or another -errno.
 */
int mitosis_auth_rdma_token(const struct handshake *handshake, u32 handler_id,
			    u8 token[WIRE_RDMA_TOKEN_SIZE]);

/* HMAC-SHA-256 of the concatenated parts. Returns 0 or -errno. */
struct mac_part {
	const void *bytes;
	unsigned int size;
};

int mitosis_auth_mac(const void *key, unsigned int key_size, const struct mac_part *parts,
		     unsigned int count, u8 mac[WIRE_MAC_SIZE]);

/*
 * HKDF-SHA-256 (RFC 5869), for at most WIRE_MAC_SIZE bytes and HKDF_INFO_MAX parts of
 * info. Returns 0 or -errno.
 */
#define HKDF_INFO_MAX 4

int mitosis_auth_hkdf(const struct mac_part *salt, const struct mac_part *key,
		      const struct mac_part *info, unsigned int info_count, void *out,
		      unsigned int size);

#endif /* MITOSIS_AUTH_H */
