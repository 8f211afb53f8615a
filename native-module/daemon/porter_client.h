/* SPDX-License-Identifier: Apache-2.0 */
/* A machine that reads the pages of one snapshot over RDMA, as the porter serves it. */
#ifndef DAEMON_PORTER_CLIENT_H
#define DAEMON_PORTER_CLIENT_H

#include <stdbool.h>
#include <stdint.h>

#include "daemon/rdma_libraries.h"
#include "proto/descriptor.h"

/* A snapshot's memory. Its owner closes and frees both. */
struct porter_snapshot {
	int memory; /* /proc/PID/mem of its shadow; reads nothing once that has ended */
	struct descriptor_header *descriptor;
};

struct porter_client {
	struct rdma_cm_id *id; /* NULL: no client */
	struct porter_snapshot snapshot;
	struct rdma_queues queues;
	uint64_t page_size;
	uint32_t pages_max, slots;
	bool established;
	int64_t used_ms;	  /* CLOCK_MONOTONIC of its last request */
	uint64_t served, refused; /* requests */
};

/*
 * Accepts a requested connection. `client` has the snapshot, the page size, pages_max;
 * `depth` requests come at a time. Returns 0 or -errno; then the id is still the
 * caller's to reject.
 */
int porter_client_accept(const struct rdma_libraries *l,
			 struct porter_client *client, struct rdma_cm_id *id,
			 uint32_t depth);

/* Serves what has come. False if the client must be closed. */
bool porter_client_serve(const struct rdma_libraries *l,
			 struct porter_client *client);

/* Ends the connection, and the client's use of its snapshot. */
void porter_client_close(const struct rdma_libraries *l,
			 struct porter_client *client);

#endif /* DAEMON_PORTER_CLIENT_H */
