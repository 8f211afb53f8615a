/* SPDX-License-Identifier: Apache-2.0 */
/* The machine id and the key of a process, from its environment. */
#ifndef PROTO_USER_AUTH_CONFIG_H
#define PROTO_USER_AUTH_CONFIG_H

#include <stdbool.h>

#include "proto/user/auth.h"

/*
 * Fills from MITOSIS_MACHINE_ID (default 0), MITOSIS_PROTECTION (sealed, handshake
 * or none; default sealed) and, unless that is none, the key file:
 * $MITOSIS_KEY_FILE, else ~/.config/mitosis/key, else /etc/mitosis/key. Returns 0,
 * or -errno with a message in `problem`: -EINVAL, -ENOENT no key, -EOPNOTSUPP this CPU
 * cannot seal, and those of auth_read_key().
 */
int auth_configure(struct auth *auth, char *problem, size_t size);

/*
 * True if MITOSIS_PROTECTION=none may be used with an address: any with
 * MITOSIS_PRIVATE_NETWORK=1, else loopback addresses only, as a network namespace may
 * well be reached from outside.
 */
bool auth_none_allowed(bool loopback);

#endif /* PROTO_USER_AUTH_CONFIG_H */
