/* SPDX-License-Identifier: Apache-2.0 */
/* A replica that has been given all pages: it needs the machine that they came from no longer. */
#ifndef DAEMON_LONE_REPLICA_H
#define DAEMON_LONE_REPLICA_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "daemon/held_pages.h"
#include "proto/descriptor.h"

struct lone_replica {
	int memory;	 /* filled in the background (replica_memory.h); -1: none */
	uint32_t number; /* of the last one */
	/* What one has, once it has been given all; its pager's first thread frees it. */
	_Atomic(struct held_pages *) held;
};

/* Whether the replica that runs now has been given all. */
bool lone_replica_has_all(const struct lone_replica *replica);

/*
 * As page_source.fetch() of one that had all, up to `size` bytes, into `buffer`. -EIO: it has ended.
 */
int lone_replica_fetch(const struct lone_replica *replica,
		       const struct descriptor_header *descriptor, uint64_t address,
		       uint64_t *length, char *buffer, uint64_t size);

#endif /* DAEMON_LONE_REPLICA_H */
