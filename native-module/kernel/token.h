/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Tokens: who has one may become a snapshot of another user. The secret is a MAC over
 * the snapshot and the time of expiry, so that the module need not remember tokens.
 */
#ifndef MITOSIS_TOKEN_H
#define MITOSIS_TOKEN_H

#include "uapi/mitosis.h"

struct snapshot;

/* What an open file keeps of a token that was presented. */
struct grant {
	u64 key, serial; /* of the snapshot; serial 0: none */
	u32 revocations; /* of the snapshot's, when the token was presented */
	u32 expires_s;	 /* CLOCK_BOOTTIME; 0: never */
};

void mitosis_tokens_init(void);
void mitosis_tokens_exit(void);

/*
 * Turns token->expires_s from seconds from now into a time, and makes the secret.
 * Returns 0, -EINVAL for a time out of range, or an error of mitosis_auth_mac().
 */
int mitosis_token_make(const struct snapshot *snapshot, struct mitosis_token *token);

/*
 * Finds the snapshot that the token is of, which does not name the user. Returns 0 with
 * a reference and the grant; -EACCES if the token is no snapshot's, invented or revoked;
 * -EKEYEXPIRED.
 */
int mitosis_token_find(const struct mitosis_token *token, struct snapshot **snapshot,
		       struct grant *grant);

/*
 * Returns 0 if the grant permits becoming the snapshot; -EPERM if it is another's,
 * -EKEYREVOKED or -EKEYEXPIRED.
 */
int mitosis_grant_check(const struct snapshot *snapshot, const struct grant *grant);

/* Makes all tokens and grants of the snapshot invalid. */
void mitosis_tokens_revoke(struct snapshot *snapshot);

#endif /* MITOSIS_TOKEN_H */
