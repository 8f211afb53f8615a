/* SPDX-License-Identifier: GPL-2.0 */
/* Who is let in: the pre-shared key, and the proofs of the handshake. */
#ifndef MITOSIS_AUTH_H
#define MITOSIS_AUTH_H

#include <linux/socket.h>

#include "proto/wire.h"

/*
 * Reads what the parameters auth and key_file say. Without a key file there is
 * no other machine until the module is loaded anew: mitosis_auth_ready() says so.
 */
int mitosis_auth_init(void);
void mitosis_auth_exit(void);

/* 0, or -EACCES: there is no key, and auth=none was not asked for. */
int mitosis_auth_ready(void);

/* May this address be reached, or listened at, with what was asked for? */
bool mitosis_auth_allows(const struct sockaddr_storage *address);

/* The machines prove nothing to each other. */
bool mitosis_auth_is_none(void);

void mitosis_auth_hello(struct wire_hello *hello);
/* 0, or -EACCES: the client's kind is another. */
int mitosis_auth_challenge(const struct wire_hello *hello,
			   struct wire_challenge *challenge);
/* The client's check of the challenge, and its own proof: 0, -EACCES. */
int mitosis_auth_prove(const struct wire_hello *hello,
		       const struct wire_challenge *challenge, struct wire_proof *proof);
/* The server's check of that: 0, -EACCES. */
int mitosis_auth_check(const struct wire_hello *hello,
		       const struct wire_challenge *challenge,
		       const struct wire_proof *proof);

/* HMAC-SHA-256 of parts in a row, as the handshake uses it. */
struct mac_part {
	const void *bytes;
	unsigned int size;
};
int mitosis_auth_mac(const void *key, unsigned int key_size, const struct mac_part *parts,
		     unsigned int count, u8 mac[WIRE_MAC_SIZE]);

#endif /* MITOSIS_AUTH_H */
