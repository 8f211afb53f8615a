// SPDX-License-Identifier: GPL-2.0
#include "auth.h"

#include <crypto/algapi.h>
#include <crypto/hash.h>
#include <linux/fs.h>
#include <linux/in.h>
#include <linux/in6.h>
#include <linux/net.h>
#include <linux/random.h>
#include <linux/slab.h>
#include <net/ipv6.h>

#include "address.h"
#include "parameters.h"
#include "record.h"

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

static const char *const protections[] = {
	[WIRE_PROTECTION_NONE] = "none",
	[WIRE_PROTECTION_HANDSHAKE] = "handshake",
	[WIRE_PROTECTION_SEALED] = "sealed",
};

int mitosis_auth_init(void)
{
	int found = match_string(protections, ARRAY_SIZE(protections), mitosis_protection);
	int err;

	if (found < 0) {
		pr_err("the parameter protection must be sealed, handshake or none, got '%s'\n",
		       mitosis_protection);
		return -EINVAL;
	}
	auth.protection = found;
	if (auth.protection == WIRE_PROTECTION_NONE)
		return 0;
	err = read_key(mitosis_key_file);
	if (err == -ENOENT) {
		/* A machine without peers needs no key. */
		if (!*mitosis_listen)
			return 0;
		pr_err("key file %s not found: create one with 'head -c 32 /dev/urandom >key; "
		       "chmod 600 key', copy it to every machine and pass its path as key_file=\n",
		       mitosis_key_file);
	}
	if (!err && mitosis_auth_seals()) {
		err = mitosis_record_available();
		if (err)
			pr_err("sealed sessions need the cipher gcm(aes), which this kernel does "
			       "not give (error %d): modprobe gcm; on a network that you trust set "
			       "protection=handshake on all machines\n",
			       err);
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

int mitosis_auth_hkdf(const struct mac_part *salt, const struct mac_part *key,
		      const struct mac_part *info, unsigned int info_count, void *out,
		      unsigned int size)
{
	static const u8 number = 1; /* of the only block */
	struct mac_part parts[HKDF_INFO_MAX + 1];
	u8 extracted[WIRE_MAC_SIZE], block[WIRE_MAC_SIZE];
	int err;

	if (info_count > HKDF_INFO_MAX || size > sizeof(block))
		return -EINVAL;
	memcpy(parts, info, info_count * sizeof(*info));
	parts[info_count] = (struct mac_part){ &number, sizeof(number) };
	err = mitosis_auth_mac(salt->bytes, salt->size, key, 1, extracted);
	if (!err)
		err = mitosis_auth_mac(extracted, sizeof(extracted), parts, info_count + 1, block);
	if (!err)
		memcpy(out, block, size);
	memzero_explicit(extracted, sizeof(extracted));
	memzero_explicit(block, sizeof(block));
	return err;
}

static int make_mac(const char *role, const struct handshake *h, u8 mac[WIRE_MAC_SIZE])
{
	const struct mac_part parts[] = {
		{ role, ROLE_SIZE },
		{ &h->hello, sizeof(h->hello) },
		{ &h->challenge, offsetof(struct wire_challenge, mac) },
		{ &h->binding, sizeof(h->binding) },
	};

	memset(mac, 0, WIRE_MAC_SIZE);
	if (auth.protection == WIRE_PROTECTION_NONE)
		return 0;
	/* A MAC with an empty key can be made by everyone. */
	if (!auth.key_size)
		return -EACCES;
	return mitosis_auth_mac(auth.key, auth.key_size, parts, mitosis_auth_seals() ? 4 : 3, mac);
}

/* Fills the binding from a connected socket, for a sealed session. */
static int bind_to(struct handshake *h, struct socket *socket, bool is_client)
{
	struct wire_binding *b = &h->binding;
	struct sockaddr_storage own = {}, other = {};
	int err;

	memset(b, 0, sizeof(*b));
	if (!mitosis_auth_seals())
		return 0;
	err = kernel_getsockname(socket, (struct sockaddr *)&own);
	if (err >= 0)
		err = kernel_getpeername(socket, (struct sockaddr *)&other);
	if (err < 0)
		return err;
	mitosis_address_to_wire(is_client ? &own : &other, b->client_ip, &b->client_port);
	mitosis_address_to_wire(is_client ? &other : &own, b->server_ip, &b->server_port);
	b->version = WIRE_VERSION;
	b->protection = WIRE_PROTECTION_SEALED;
	return 0;
}

const char *mitosis_auth_protection(void)
{
	return protections[auth.protection];
}

bool mitosis_auth_allows_rdma(void)
{
	return auth.protection == WIRE_PROTECTION_HANDSHAKE;
}

bool mitosis_auth_seals(void)
{
	return auth.protection == WIRE_PROTECTION_SEALED;
}

int mitosis_auth_hello(struct handshake *h, struct socket *socket)
{
	h->hello.machine_id = mitosis_machine_id;
	h->hello.protection = auth.protection;
	get_random_bytes(h->hello.nonce, sizeof(h->hello.nonce));
	return bind_to(h, socket, true);
}

int mitosis_auth_challenge(struct handshake *h, struct socket *socket)
{
	int err;

	memset(&h->challenge, 0, sizeof(h->challenge));
	h->challenge.machine_id = mitosis_machine_id;
	h->challenge.protection = auth.protection;
	if (h->hello.protection != auth.protection)
		return -EPROTOTYPE;
	get_random_bytes(h->challenge.nonce, sizeof(h->challenge.nonce));
	err = bind_to(h, socket, false);
	return err ?: make_mac("server", h, h->challenge.mac);
}

int mitosis_auth_prove(const struct handshake *h, struct wire_proof *proof)
{
	u8 expected[WIRE_MAC_SIZE];
	int err;

	if (h->challenge.protection != auth.protection)
		return -EPROTOTYPE;
	err = make_mac("server", h, expected);
	if (!err && crypto_memneq(expected, h->challenge.mac, sizeof(expected)))
		err = -EACCES;
	memzero_explicit(expected, sizeof(expected));
	return err ?: make_mac("client", h, proof->mac);
}

int mitosis_auth_check(const struct handshake *h, const struct wire_proof *proof)
{
	u8 expected[WIRE_MAC_SIZE];
	int err = make_mac("client", h, expected);

	if (!err && crypto_memneq(expected, proof->mac, sizeof(expected)))
		err = -EACCES;
	memzero_explicit(expected, sizeof(expected));
	return err;
}

static int make_secret(const char *sender, const struct handshake *h,
		       struct wire_record_secret *secret)
{
	const struct mac_part key = { auth.key, auth.key_size };
	const struct mac_part info[] = {
		{ sender, strlen(sender) },
		{ &h->hello, sizeof(h->hello) },
		{ &h->challenge, offsetof(struct wire_challenge, mac) },
		{ &h->binding, sizeof(h->binding) },
	};
	u8 nonces[2 * WIRE_NONCE_SIZE];
	const struct mac_part salt = { nonces, sizeof(nonces) };

	memcpy(nonces, h->hello.nonce, WIRE_NONCE_SIZE);
	memcpy(nonces + WIRE_NONCE_SIZE, h->challenge.nonce, WIRE_NONCE_SIZE);
	return mitosis_auth_hkdf(&salt, &key, info, ARRAY_SIZE(info), secret, sizeof(*secret));
}

int mitosis_auth_secrets(const struct handshake *h, struct wire_secrets *secrets)
{
	int err = make_secret("mitosis records of the client", h, &secrets->client);

	return err ?: make_secret("mitosis records of the server", h, &secrets->server);
}

int mitosis_auth_rdma_token(const struct handshake *h, u32 handler_id,
			    u8 token[WIRE_RDMA_TOKEN_SIZE])
{
	const struct mac_part parts[] = {
		{ "rdma", 4 },
		{ &h->hello, sizeof(h->hello) },
		{ &h->challenge, offsetof(struct wire_challenge, mac) },
		{ &handler_id, sizeof(handler_id) },
	};

	if (!mitosis_auth_allows_rdma())
		return -EPROTOTYPE;
	if (!auth.key_size)
		return -EACCES;
	return mitosis_auth_mac(auth.key, auth.key_size, parts, ARRAY_SIZE(parts), token);
}
