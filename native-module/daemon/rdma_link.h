/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A pager's second way to the pages of a snapshot: by RDMA, beside the TCP connection. It
 * is set up while pages come over TCP. Whatever it does not deliver is asked for over
 * TCP; the first failure ends it, and $MITOSIS_RDMA_RETRY_MS (5000) later it is set up
 * again.
 */
#ifndef DAEMON_RDMA_LINK_H
#define DAEMON_RDMA_LINK_H

#include <stdbool.h>
#include <stdint.h>

#include "daemon/page_counts.h"
#include "local/protocol.h"
#include "paging/trace.h"
#include "proto/user/auth.h"

struct rdma_link;

/* Of one pager; kept by the link as long as it is. */
struct rdma_link_target {
	const struct auth *auth;
	const struct trace *trace;
	struct page_counts *counts;
	struct local_address
		address;   /* where the other machine's mitosisd listens */
	const char *place; /* the same as text */
	bool optional;	   /* where a machine has no device, no word is said of it */
	uint32_t machine_id, handler_id;
	uint64_t snapshot; /* its number there: struct wire_rights */
};

/*
 * Begins to set up a link, and waits for at most $MITOSIS_RDMA_WAIT_MS (0). NULL: it
 * cannot be, for a reason that has been printed.
 */
struct rdma_link *rdma_link_start(const struct rdma_link_target *target);

/*
 * Begins to set up again a link that has ended, or could not be set up, and has rested
 * for its time. Between requests; NULL: does nothing.
 */
void rdma_link_refresh(struct rdma_link *link);

/* Bytes that one request can be for; 0 if the link is not set up, or has ended. */
uint64_t rdma_link_request_max(const struct rdma_link *link);

/* Asks for pages; at most two requests are under way. Returns 0 or -errno: it has ended. */
int rdma_link_ask(struct rdma_link *link, uint64_t address, uint64_t length);

/*
 * Receives the answer to the oldest request, of `length` bytes: *bytes is where, valid
 * until the second request after it. Returns 0; -EFAULT not these pages; or -errno: the
 * link has ended, with all requests that were under way.
 */
int rdma_link_receive(struct rdma_link *link, uint64_t length, const void **bytes);

#endif /* DAEMON_RDMA_LINK_H */
