// SPDX-License-Identifier: Apache-2.0
#define _GNU_SOURCE
#include "proto/user/auth.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "proto/user/hkdf.h"
#include "proto/user/sha256.h"

int auth_read_key(struct auth *auth, const char *path)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	struct stat st;
	ssize_t n;
	int err = 0;

	if (fd < 0)
		return -errno;
	if (fstat(fd, &st))
		err = -errno;
	else if (st.st_uid != geteuid() && st.st_uid != 0)
		err = -EPERM;
	else if (st.st_mode & (S_IRWXG | S_IRWXO))
		err = -EACCES;
	else if (!S_ISREG(st.st_mode) || st.st_size < MITOSIS_KEY_SIZE_MIN ||
		 st.st_size > MITOSIS_KEY_SIZE_MAX)
		err = -EINVAL;
	if (!err) {
		n = read(fd, auth->key, sizeof(auth->key));
		if (n != st.st_size)
			err = n < 0 ? -errno : -EINVAL;
		else
			auth->key_size = n;
	}
	if (err)
		auth_forget(auth);
	close(fd);
	return err;
}

void auth_forget(struct auth *auth)
{
	explicit_bzero(auth->key, sizeof(auth->key));
	auth->key_size = 0;
}

const char *auth_protection_name(uint32_t protection)
{
	switch (protection) {
	case WIRE_PROTECTION_NONE:
		return "none";
	case WIRE_PROTECTION_HANDSHAKE:
		return "handshake";
	case WIRE_PROTECTION_SEALED:
		return "sealed";
	default:
		return "unknown";
	}
}

int auth_bind(struct handshake *handshake, int fd, bool is_client)
{
	struct wire_binding *b = &handshake->binding;
	struct sockaddr_in6 own = { 0 }, other = { 0 };
	socklen_t own_size = sizeof(own), other_size = sizeof(other);
	const struct sockaddr_in6 *client = is_client ? &own : &other;
	const struct sockaddr_in6 *server = is_client ? &other : &own;

	if (getsockname(fd, (struct sockaddr *)&own, &own_size) ||
	    getpeername(fd, (struct sockaddr *)&other, &other_size))
		return -errno;
	/* All sockets between machines are of this family: IPv4 is mapped into it. */
	if (own.sin6_family != AF_INET6 || other.sin6_family != AF_INET6)
		return -EAFNOSUPPORT;
	memcpy(b->client_ip, &client->sin6_addr, sizeof(b->client_ip));
	memcpy(b->server_ip, &server->sin6_addr, sizeof(b->server_ip));
	b->client_port = ntohs(client->sin6_port);
	b->server_port = ntohs(server->sin6_port);
	b->version = WIRE_VERSION;
	b->protection = WIRE_PROTECTION_SEALED;
	return 0;
}

static int random_nonce(uint8_t nonce[WIRE_NONCE_SIZE])
{
	return getrandom(nonce, WIRE_NONCE_SIZE, 0) == WIRE_NONCE_SIZE ? 0 : -EIO;
}

/*
 * Returns 0, or -EACCES without a key: a MAC with an empty key can be made by
 * everyone, so none is made or accepted.
 */
static int make_mac(const struct auth *auth, const char *role,
		    const struct handshake *h, uint8_t mac[WIRE_MAC_SIZE])
{
	const struct hmac_part parts[] = {
		{ role, 6 },
		{ &h->hello, sizeof(h->hello) },
		{ &h->challenge, offsetof(struct wire_challenge, mac) },
		{ &h->binding, sizeof(h->binding) },
	};

	memset(mac, 0, WIRE_MAC_SIZE);
	if (auth->protection == WIRE_PROTECTION_NONE)
		return 0;
	if (auth->key_size < MITOSIS_KEY_SIZE_MIN)
		return -EACCES;
	hmac_sha256(auth->key, auth->key_size, parts,
		    auth->protection == WIRE_PROTECTION_SEALED ? 4 : 3, mac);
	return 0;
}

int auth_hello(const struct auth *auth, struct handshake *h)
{
	h->hello.machine_id = auth->machine_id;
	h->hello.protection = auth->protection;
	return random_nonce(h->hello.nonce);
}

int auth_challenge(const struct auth *auth, struct handshake *h)
{
	int err;

	memset(&h->challenge, 0, sizeof(h->challenge));
	h->challenge.machine_id = auth->machine_id;
	h->challenge.protection = auth->protection;
	if (h->hello.protection != auth->protection)
		return -EPROTOTYPE;
	err = random_nonce(h->challenge.nonce);
	return err ? err : make_mac(auth, "server", h, h->challenge.mac);
}

int auth_prove(const struct auth *auth, const struct handshake *h,
	       struct wire_proof *proof)
{
	uint8_t expected[WIRE_MAC_SIZE];
	int err;

	if (h->challenge.protection != auth->protection)
		return -EPROTOTYPE;
	err = make_mac(auth, "server", h, expected);
	if (!err && !mac_equal(expected, h->challenge.mac))
		err = -EACCES;
	return err ? err : make_mac(auth, "client", h, proof->mac);
}

int auth_check(const struct auth *auth, const struct handshake *h,
	       const struct wire_proof *proof)
{
	uint8_t expected[WIRE_MAC_SIZE];
	int err = make_mac(auth, "client", h, expected);

	return !err && !mac_equal(expected, proof->mac) ? -EACCES : err;
}

static void make_secret(const struct auth *auth, const char *sender,
			const struct handshake *h, struct wire_record_secret *secret)
{
	const struct hmac_part info[] = {
		{ sender, strlen(sender) },
		{ &h->hello, sizeof(h->hello) },
		{ &h->challenge, offsetof(struct wire_challenge, mac) },
		{ &h->binding, sizeof(h->binding) },
	};
	uint8_t nonces[2 * WIRE_NONCE_SIZE];

	memcpy(nonces, h->hello.nonce, WIRE_NONCE_SIZE);
	memcpy(nonces + WIRE_NONCE_SIZE, h->challenge.nonce, WIRE_NONCE_SIZE);
	hkdf_sha256(nonces, sizeof(nonces), auth->key, auth->key_size, info, 4,
		    secret, sizeof(*secret));
}

void auth_secrets(const struct auth *auth, const struct handshake *h,
		  struct wire_secrets *secrets)
{
	make_secret(auth, "mitosis records of the client", h, &secrets->client);
	make_secret(auth, "mitosis records of the server", h, &secrets->server);
}

int auth_rdma_token(const struct auth *auth, const struct handshake *h,
		    uint32_t handler_id, uint8_t token[WIRE_RDMA_TOKEN_SIZE])
{
	const struct hmac_part parts[] = {
		{ "rdma", 4 },
		{ &h->hello, sizeof(h->hello) },
		{ &h->challenge, offsetof(struct wire_challenge, mac) },
		{ &handler_id, sizeof(handler_id) },
	};

	if (auth->key_size < MITOSIS_KEY_SIZE_MIN)
		return -EACCES;
	hmac_sha256(auth->key, auth->key_size, parts, 4, token);
	return 0;
}
