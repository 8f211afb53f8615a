// SPDX-License-Identifier: Apache-2.0
#define _GNU_SOURCE
#include "proto/user/auth_config.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "proto/user/aes_gcm.h"

static int read_machine_id(struct auth *auth, char *problem, size_t size)
{
	const char *text = secure_getenv("MITOSIS_MACHINE_ID");
	char *end;
	unsigned long value;

	auth->machine_id = 0;
	if (!text || !*text)
		return 0;
	errno = 0;
	value = strtoul(text, &end, 10);
	if (errno || *end || text[0] == '-' || value > INT32_MAX) {
		snprintf(problem, size,
			 "MITOSIS_MACHINE_ID must be between 0 and %d, got "
			 "'%s'",
			 INT32_MAX, text);
		return -EINVAL;
	}
	auth->machine_id = value;
	return 0;
}

static int read_key(struct auth *auth, const char *path, char *problem, size_t size)
{
	int err = auth_read_key(auth, path);
	const char *why = strerror(-err);

	if (err == -EACCES)
		why = "others can read it: chmod 600";
	else if (err == -EPERM)
		why = "it belongs to another user";
	else if (err == -EINVAL)
		why = "it must be a file of 16 to 4096 bytes";
	if (err)
		snprintf(problem, size, "the key file %s cannot be used: %s", path,
			 why);
	return err;
}

static int read_protection(struct auth *auth, char *problem, size_t size)
{
	const char *text = secure_getenv("MITOSIS_PROTECTION");
	uint32_t i;

	auth->protection = WIRE_PROTECTION_SEALED;
	if (!text || !*text)
		return 0;
	for (i = WIRE_PROTECTION_NONE; i <= WIRE_PROTECTION_SEALED; i++) {
		if (!strcmp(text, auth_protection_name(i))) {
			auth->protection = i;
			return 0;
		}
	}
	snprintf(problem, size,
		 "MITOSIS_PROTECTION must be sealed, handshake or none, got '%s'",
		 text);
	return -EINVAL;
}

int auth_configure(struct auth *auth, char *problem, size_t size)
{
	const char *asked = secure_getenv("MITOSIS_KEY_FILE");
	const char *home = secure_getenv("HOME");
	char path[PATH_MAX];
	int err;

	memset(auth, 0, sizeof(*auth));
	err = read_machine_id(auth, problem, size);
	if (!err)
		err = read_protection(auth, problem, size);
	if (err || auth->protection == WIRE_PROTECTION_NONE)
		return err;
	if (auth->protection == WIRE_PROTECTION_SEALED && !aes_gcm_available()) {
		snprintf(problem, size,
			 "sealed sessions need a CPU with AES and PCLMULQDQ, which "
			 "this one lacks; on a network that you trust set "
			 "MITOSIS_PROTECTION=handshake on all machines");
		return -EOPNOTSUPP;
	}
	if (asked && *asked)
		return read_key(auth, asked, problem, size);
	snprintf(path, sizeof(path), "%s/.config/mitosis/key", home ? home : "");
	if (home && !access(path, F_OK))
		return read_key(auth, path, problem, size);
	if (!access("/etc/mitosis/key", F_OK))
		return read_key(auth, "/etc/mitosis/key", problem, size);
	snprintf(problem, size,
		 "there is no key: make one with 'head -c 32 /dev/urandom "
		 ">key; chmod 600 key', copy it to every machine and set "
		 "MITOSIS_KEY_FILE");
	return -ENOENT;
}

bool auth_none_allowed(bool loopback)
{
	const char *text = secure_getenv("MITOSIS_PRIVATE_NETWORK");

	return loopback || (text && !strcmp(text, "1"));
}
