// SPDX-License-Identifier: Apache-2.0
#include "daemon/transport.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "local/gid.h"

static const char *asked(void)
{
	const char *text = getenv("MITOSIS_TRANSPORT");

	return text && *text ? text : "tcp";
}

int transport_check(char *problem, size_t size)
{
	if (!strcmp(asked(), "tcp") || !strcmp(asked(), "auto"))
		return 0;
	snprintf(problem, size, "MITOSIS_TRANSPORT must be tcp or auto, got '%s'",
		 asked());
	return -EINVAL;
}

enum transport_wish transport_wish(const struct local_address *address,
				   const struct auth *auth)
{
	struct gid_port first;

	if (address->transport == LOCAL_TRANSPORT_RDMA)
		return TRANSPORT_RDMA;
	/* RDMA reaches the memory of a machine's own snapshots only. */
	if (!strcmp(asked(), "auto") &&
	    address->transport != LOCAL_TRANSPORT_REPLICA &&
	    auth->protection == WIRE_PROTECTION_HANDSHAKE &&
	    !gid_port_find(GID_DEVICES, 0, &first))
		return TRANSPORT_UPGRADE;
	return TRANSPORT_TCP_ONLY;
}
