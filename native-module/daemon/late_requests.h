/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A pager's requests over TCP that are not answered in time. Each is set aside with the connection that its
 * answer will come over, and the pager goes on with another one: only those wait for the pages who need them.
 */
#ifndef DAEMON_LATE_REQUESTS_H
#define DAEMON_LATE_REQUESTS_H

#include <stdint.h>

#include "daemon/remote_memory.h"

/* Begins to set requests aside. `open_ms`: how long it took to open the snapshot at `address`. */
void late_requests_begin(struct remote_memory *memory,
			 const struct local_address *address, int64_t open_ms);

#endif /* DAEMON_LATE_REQUESTS_H */
