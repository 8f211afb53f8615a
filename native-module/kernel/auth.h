/* SPDX-License-Identifier: GPL-2.0 */
/* Authentication of machines: the pre-shared key and the handshake's proofs. */
#ifndef MITOSIS_AUTH_H
#define MITOSIS_AUTH_H

#include <linux/socket.h>

#include "proto/wire.h"

/*
 * Reads the parameters auth and key_file. Returns 0 or -errno. A module that does
 * not listen needs no key file: then mitosis_auth_ready() returns -EACCES.
 */
int mitosis_auth_init(void);
void mitosis_auth_exit(void);

/* Returns 0, or -EACCES if there is neither a key nor auth=none. */
int mitosis_auth_ready(void);

/* Whether the parameters allow connecting to or listening on an address. */
bool mitosis_auth_allows(const struct sockaddr_storage *address);

/* What other machines must have as MITOSIS_PROTECTION: "handshake" or "none". */
const char *mitosis_auth_protection(void);

void mitosis_auth_hello(struct wire_hello *hello);

/*
 * The server's answer. Returns 0, -EACCES without a key, or -EPROTOTYPE with an answer
 * that tells a client whose protection differs the module's.
 */
int mitosis_auth_challenge(const struct wire_hello *hello, struct wire_challenge *challenge);
/*
 * Checks the server's challenge and makes the client's proof: 0, -EACCES, or
 * -EPROTOTYPE if the server's protection differs.
 */
int mitosis_auth_prove(const struct wire_hello *hello, const struct wire_challenge *challenge,
		       struct wire_proof *proof);
/* Checks the client's proof: 0, -EACCES. */
int mitosis_auth_check(const struct wire_hello *hello, const struct wire_challenge *challenge,
		       const struct wire_proof *proof);

/* HMAC-SHA-256 of the concatenated parts. Returns 0 or -errno. */
struct mac_part {
	const void *bytes;
	unsigned int size;
};

int mitosis_auth_mac(const void *key, unsigned int key_size, const struct mac_part *parts,
		     unsigned int count, u8 mac[WIRE_MAC_SIZE]);

#endif /* MITOSIS_AUTH_H */
