/* SPDX-License-Identifier: Apache-2.0 */
/*
 * MITOSIS_VERIFY=on: what another machine than the snapshot's serves (replica://) is compared with what the snapshot's
 * own machine says of it, over a connection of its own: the descriptor, and a digest of each page.
 */
#ifndef DAEMON_ORIGIN_H
#define DAEMON_ORIGIN_H

#include <stdbool.h>
#include <stddef.h>

#include "local/address.h"
#include "proto/descriptor.h"
#include "proto/user/auth.h"
#include "proto/user/connection.h"
#include "proto/user/sha256.h"

struct origin {
	bool checks; /* else nothing is compared */
	struct wire_connection connection;
	uint64_t page_size;
	struct sha256 fresh; /* of no bytes yet */
	uint64_t checked;    /* pages that were right */
};

/* $MITOSIS_VERIFY: off, the default, or on. Returns 0, or -EINVAL with the cause in `problem`. */
int verify_read(bool *verify, char *problem, size_t size);

/*
 * Connects to the snapshot's machine at `address`. Returns 0, and the parent's rights, to which the descriptor is limited;
 * -EBADE the descriptor is not the one that it has; or another -errno.
 */
int origin_open(struct origin *origin, const struct local_address *address,
		const struct auth *auth, uint32_t machine_id, uint32_t handler_id,
		struct descriptor_header *descriptor, struct parent_rights *rights);

/*
 * Compares whole pages. `bytes` NULL: they are said to be unreadable. Returns 0; -EBADE they differ; or another -errno.
 * Nothing that was not compared may be used.
 */
int origin_check(struct origin *origin, uint64_t address, uint64_t length,
		 const void *bytes);

void origin_close(struct origin *origin);

#endif /* DAEMON_ORIGIN_H */
