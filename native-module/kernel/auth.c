// SPDX-License-Identifier: GPL-2.0
#include "auth.h"

#include <crypto/algapi.h>
#include <crypto/hash.h>
#include <linux/fs.h>
#include <linux/in.h>
#include <linux/in6.h>
#include <linux/random.h>
#include <linux/slab.h>
#include <net/ipv6.h>

#include "parameters.h"

#define ROLE_SIZE 6 /* "server", "client" */

static struct {
	enum wire_protection protection;
	unsigned int key_size; /* 0 without a key */
	u8 *key;
} auth;

static const char *key_file_problem(const struct inode *inode)
{
	if (!S_ISREG(inode->i_mode))
		return "it is not a regular file";
	if (!uid_eq(inode->i_uid, GLOBAL_ROOT_UID))
		return "it must be owned by root";
	if (inode->i_mode & 0077)
		return "group and others must have no access: chmod 600";
	if (i_size_read(inode) < MITOSIS_KEY_SIZE_MIN || i_size_read(inode) > MITOSIS_KEY_SIZE_MAX)
		return "its size must be between 16 and 4096 bytes";
	return NULL;
}

static int read_key(const char *path)
{
	struct file *file = filp_open(path, O_RDONLY | O_NOFOLLOW, 0);
	const char *problem;
	loff_t at = 0;
	ssize_t n;

	if (IS_ERR(file))
		return PTR_ERR(file);
	problem = key_file_problem(file_inode(file));
	if (problem) {
		pr_err("the key file %s cannot be used: %s\n", path, problem);
		n = -EACCES;
		goto out;
	}
	auth.key = kzalloc(MITOSIS_KEY_SIZE_MAX, GFP_KERNEL);
	n = auth.key ? kernel_read(file, auth.key, MITOSIS_KEY_SIZE_MAX, &at) : -ENOMEM;
	if (n >= 0 && n < MITOSIS_KEY_SIZE_MIN)
		n = -EACCES;
	if (n > 0)
		auth.key_size = n;
out:
	filp_close(file, NULL);
	return n < 0 ? n : 0;
}

int mitosis_auth_init(void)
{
	int err;

	if (!strcmp(mitosis_auth, "none")) {
		auth.protection = WIRE_PROTECTION_NONE;
		return 0;
	}
	if (strcmp(mitosis_auth, "key")) {
		pr_err("the parameter auth must be key or none, got '%s'\n", mitosis_auth);
		return -EINVAL;
	}
	auth.protection = WIRE_PROTECTION_HANDSHAKE;
	err = read_key(mitosis_key_file);
	if (err == -ENOENT) {
		/* A machine without peers needs no key. */
		if (!*mitosis_listen)
			return 0;
		pr_err("key file %s not found: create one with 'head -c 32 /dev/urandom >key; "
		       "chmod 600 key', copy it to every machine and pass its path as key_file=\n",
		       mitosis_key_file);
	}
	if (err)
		mitosis_auth_exit();
	return err;
}

void mitosis_auth_exit(void)
{
	kfree_sensitive(auth.key);
	auth.key = NULL;
	auth.key_size = 0;
}

int mitosis_auth_ready(void)
{
	return auth.protection == WIRE_PROTECTION_NONE || auth.key_size ? 0 : -EACCES;
}

bool mitosis_auth_allows(const struct sockaddr_storage *address)
{
	const struct sockaddr_in *v4 = (const struct sockaddr_in *)address;
	const struct sockaddr_in6 *v6 = (const struct sockaddr_in6 *)address;

	if (auth.protection != WIRE_PROTECTION_NONE || mitosis_private_network)
		return true;
	return address->ss_family == AF_INET ? ipv4_is_loopback(v4->sin_addr.s_addr)
					     : ipv6_addr_loopback(&v6->sin6_addr);
}

int mitosis_auth_mac(const void *key, unsigned int key_size, const struct mac_part *parts,
		     unsigned int count, u8 mac[WIRE_MAC_SIZE])
{
	struct crypto_shash *hmac = crypto_alloc_shash("hmac(sha256)", 0, 0);
	unsigned int i;
	int err;

	if (IS_ERR(hmac))
		return PTR_ERR(hmac);
	err = crypto_shash_setkey(hmac, key, key_size);
	if (!err) {
		SHASH_DESC_ON_STACK(state, hmac);

		state->tfm = hmac;
		err = crypto_shash_init(state);
		for (i = 0; !err && i < count; i++)
			err = crypto_shash_update(state, parts[i].bytes, parts[i].size);
		if (!err)
			err = crypto_shash_final(state, mac);
		shash_desc_zero(state);
	}
	crypto_free_shash(hmac);
	return err;
}

static int make_mac(const char *role, const struct wire_hello *hello,
		    const struct wire_challenge *challenge, u8 mac[WIRE_MAC_SIZE])
{
	const struct mac_part parts[] = {
		{ role, ROLE_SIZE },
		{ hello, sizeof(*hello) },
		{ challenge, offsetof(struct wire_challenge, mac) },
	};

	memset(mac, 0, WIRE_MAC_SIZE);
	if (auth.protection == WIRE_PROTECTION_NONE)
		return 0;
	/* A MAC with an empty key can be made by everyone. */
	if (!auth.key_size)
		return -EACCES;
	return mitosis_auth_mac(auth.key, auth.key_size, parts, ARRAY_SIZE(parts), mac);
}

const char *mitosis_auth_protection(void)
{
	return auth.protection == WIRE_PROTECTION_NONE ? "none" : "handshake";
}

void mitosis_auth_hello(struct wire_hello *hello)
{
	hello->machine_id = mitosis_machine_id;
	hello->protection = auth.protection;
	get_random_bytes(hello->nonce, sizeof(hello->nonce));
}

int mitosis_auth_challenge(const struct wire_hello *hello, struct wire_challenge *challenge)
{
	memset(challenge, 0, sizeof(*challenge));
	challenge->machine_id = mitosis_machine_id;
	challenge->protection = auth.protection;
	if (hello->protection != auth.protection)
		return -EPROTOTYPE;
	get_random_bytes(challenge->nonce, sizeof(challenge->nonce));
	return make_mac("server", hello, challenge, challenge->mac);
}

int mitosis_auth_prove(const struct wire_hello *hello, const struct wire_challenge *challenge,
		       struct wire_proof *proof)
{
	u8 expected[WIRE_MAC_SIZE];
	int err;

	if (challenge->protection != auth.protection)
		return -EPROTOTYPE;
	err = make_mac("server", hello, challenge, expected);
	if (!err && crypto_memneq(expected, challenge->mac, sizeof(expected)))
		err = -EACCES;
	memzero_explicit(expected, sizeof(expected));
	return err ?: make_mac("client", hello, challenge, proof->mac);
}

int mitosis_auth_check(const struct wire_hello *hello, const struct wire_challenge *challenge,
		       const struct wire_proof *proof)
{
	u8 expected[WIRE_MAC_SIZE];
	int err = make_mac("client", hello, challenge, expected);

	if (!err && crypto_memneq(expected, proof->mac, sizeof(expected)))
		err = -EACCES;
	memzero_explicit(expected, sizeof(expected));
	return err;
}
