// SPDX-License-Identifier: GPL-2.0
#include "token.h"

#include <crypto/algapi.h>
#include <linux/cred.h>
#include <linux/random.h>
#include <linux/string.h>
#include <linux/timekeeping.h>

#include "auth.h"
#include "snapshot.h"

/* Of the MAC of all tokens, since the module was loaded. */
static u8 key[WIRE_MAC_SIZE];

void mitosis_tokens_init(void)
{
	get_random_bytes(key, sizeof(key));
}

void mitosis_tokens_exit(void)
{
	memzero_explicit(key, sizeof(key));
}

static u32 now_s(void)
{
	return ktime_get_boottime_seconds();
}

static int is_over(u32 expires_s)
{
	return expires_s && now_s() >= expires_s ? -EKEYEXPIRED : 0;
}

static int make_secret(const struct snapshot *s, u32 expires_s,
		       u8 secret[sizeof(((struct mitosis_token *)0)->secret)])
{
	const u32 revocations = atomic_read(&s->revocations);
	const struct mac_part parts[] = {
		{ &s->serial, sizeof(s->serial) },
		{ &revocations, sizeof(revocations) },
		{ &expires_s, sizeof(expires_s) },
	};
	u8 mac[WIRE_MAC_SIZE];
	int err = mitosis_auth_mac(key, sizeof(key), parts, ARRAY_SIZE(parts), mac);

	if (!err)
		memcpy(secret, mac, sizeof(((struct mitosis_token *)0)->secret));
	memzero_explicit(mac, sizeof(mac));
	return err;
}

int mitosis_token_make(const struct snapshot *s, struct mitosis_token *token)
{
	if (token->expires_s > MITOSIS_TOKEN_SECONDS_MAX)
		return -EINVAL;
	if (token->expires_s)
		token->expires_s += now_s();
	return make_secret(s, token->expires_s, token->secret);
}

/* Returns 0 with the grant, -EACCES or -EKEYEXPIRED. */
static int check(const struct snapshot *s, const struct mitosis_token *token, struct grant *grant)
{
	const u32 revocations = atomic_read(&s->revocations);
	u8 secret[sizeof(token->secret)];
	int err = make_secret(s, token->expires_s, secret);

	if (!err && crypto_memneq(secret, token->secret, sizeof(secret)))
		err = -EACCES;
	memzero_explicit(secret, sizeof(secret));
	if (!err)
		err = is_over(token->expires_s);
	/* A revocation in between makes the grant invalid, not the other way round. */
	if (!err)
		*grant = (struct grant){
			.key = mitosis_snapshot_key(s->parent.owner.cred->euid, s->handler_id),
			.serial = s->serial,
			.revocations = revocations,
			.expires_s = token->expires_s,
		};
	return err;
}

int mitosis_token_find(const struct mitosis_token *token, struct snapshot **snapshot,
		       struct grant *grant)
{
	struct snapshot *s;
	int err = -EACCES;
	u64 key = 0;

	while (err == -EACCES && (s = mitosis_snapshot_next_of_id(&key, token->handler_id))) {
		err = check(s, token, grant);
		if (err)
			mitosis_snapshot_put(s);
		else
			*snapshot = s;
		key += 1ull << 32;
	}
	return err;
}

int mitosis_grant_check(const struct snapshot *s, const struct grant *grant)
{
	if (grant->serial != s->serial)
		return -EPERM;
	if (grant->revocations != atomic_read(&s->revocations))
		return -EKEYREVOKED;
	return is_over(grant->expires_s);
}

void mitosis_tokens_revoke(struct snapshot *s)
{
	atomic_inc(&s->revocations);
}
