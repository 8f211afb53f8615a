// SPDX-License-Identifier: Apache-2.0
#define _GNU_SOURCE
#include "proto/user/auth.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

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
		auth->kind = WIRE_AUTH_KEY;
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

static int random_nonce(uint8_t nonce[WIRE_NONCE_SIZE])
{
	return getrandom(nonce, WIRE_NONCE_SIZE, 0) == WIRE_NONCE_SIZE ? 0 : -EIO;
}

/*
 * Returns 0, or -EACCES without a key: a MAC with an empty key can be made by
 * everyone, so none is made or accepted.
 */
static int make_mac(const struct auth *auth, const char *role,
		    const struct wire_hello *hello,
		    const struct wire_challenge *challenge,
		    uint8_t mac[WIRE_MAC_SIZE])
{
	const struct hmac_part parts[] = {
		{ role, 6 },
		{ hello, sizeof(*hello) },
		{ challenge, offsetof(struct wire_challenge, mac) },
	};

	memset(mac, 0, WIRE_MAC_SIZE);
	if (auth->kind == WIRE_AUTH_NONE)
		return 0;
	if (auth->key_size < MITOSIS_KEY_SIZE_MIN)
		return -EACCES;
	hmac_sha256(auth->key, auth->key_size, parts,
		    sizeof(parts) / sizeof(parts[0]), mac);
	return 0;
}

int auth_hello(const struct auth *auth, struct wire_hello *hello)
{
	hello->machine_id = auth->machine_id;
	hello->auth = auth->kind;
	return random_nonce(hello->nonce);
}

int auth_challenge(const struct auth *auth, const struct wire_hello *hello,
		   struct wire_challenge *challenge)
{
	int err;

	if (hello->auth != auth->kind)
		return -EACCES;
	challenge->machine_id = auth->machine_id;
	challenge->auth = auth->kind;
	err = random_nonce(challenge->nonce);
	return err ? err
		   : make_mac(auth, "server", hello, challenge, challenge->mac);
}

int auth_prove(const struct auth *auth, const struct wire_hello *hello,
	       const struct wire_challenge *challenge, struct wire_proof *proof)
{
	uint8_t expected[WIRE_MAC_SIZE];
	int err = make_mac(auth, "server", hello, challenge, expected);

	if (!err &&
	    (challenge->auth != auth->kind || !mac_equal(expected, challenge->mac)))
		err = -EACCES;
	return err ? err : make_mac(auth, "client", hello, challenge, proof->mac);
}

int auth_check(const struct auth *auth, const struct wire_hello *hello,
	       const struct wire_challenge *challenge,
	       const struct wire_proof *proof)
{
	uint8_t expected[WIRE_MAC_SIZE];
	int err = make_mac(auth, "client", hello, challenge, expected);

	return !err && !mac_equal(expected, proof->mac) ? -EACCES : err;
}
