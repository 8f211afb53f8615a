/* SPDX-License-Identifier: Apache-2.0 */
/* Whether pages may come by RDMA. */
#ifndef DAEMON_TRANSPORT_H
#define DAEMON_TRANSPORT_H

#include <stdbool.h>
#include <stddef.h>

#include "local/protocol.h"
#include "proto/user/auth.h"

enum transport_wish {
	TRANSPORT_TCP_ONLY,
	TRANSPORT_RDMA, /* its address asks for it: what stands in the way is told */
	TRANSPORT_UPGRADE, /* where both machines have a device */
};

/*
 * Checks $MITOSIS_TRANSPORT: "tcp" (the default), or "auto", where sessions with a
 * tcp:// address are upgraded. Returns 0, or -EINVAL with the problem.
 */
int transport_check(char *problem, size_t size);

/*
 * What is wished for the session with `address`, under a checked environment. Sealed
 * sessions are never upgraded: RDMA would carry their pages as they are.
 */
enum transport_wish transport_wish(const struct local_address *address,
				   const struct auth *auth);

#endif /* DAEMON_TRANSPORT_H */
