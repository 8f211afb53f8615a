/* SPDX-License-Identifier: Apache-2.0 */
/* The pages of a snapshot of another machine, over a connection to its shadow. */
#ifndef DAEMON_REMOTE_MEMORY_H
#define DAEMON_REMOTE_MEMORY_H

#include "daemon/lone_replica.h"
#include "daemon/origin.h"
#include "daemon/page_requests.h"
#include "daemon/recent_chunks.h"
#include "daemon/remote_runs.h"
#include "local/address.h"
#include "paging/address_map.h"
#include "paging/page_source.h"
#include "proto/user/auth.h"

struct late_requests;

struct remote_memory {
	struct page_source source;
	struct page_requests requests;
	struct late_requests *late; /* of a pager, else NULL */
	int deadline_ms;	    /* to open it; 0: wire_deadline_ms() */
	uint64_t page_size;
	const struct auth *auth;
	uint32_t machine_id, handler_id;
	char place[LOCAL_ADDRESS_TEXT_SIZE];
	/* Of the machine itself, where what another one serves is verified; NULL: it is not. */
	const struct local_address *verified_by;
	struct origin origin;
	struct parent_rights rights; /* by the word of the parent's machine */
	uint64_t snapshot;	     /* its number there: struct wire_rights */
	char *buffer;		     /* WIRE_PAGES_MAX bytes */
	struct remote_runs runs;
	bool quiet; /* no child depends on it: its failure is not logged */
	struct lone_replica replica;
	struct recent_chunks recent; /* what children have asked for; of a pager */
	bool dropped;		     /* the snapshot, where it lies */
	int64_t asked_ms;	     /* when that was asked last; CLOCK_MONOTONIC */
	char failure[256], late_failure[256];

	/* The cache: the snapshot's VMAs, concatenated. */
	struct address_map map;
	uint64_t *offsets;   /* of each segment in the cache, bytes */
	char *cache;	     /* NULL: none */
	uint64_t cache_size; /* bytes */
	uint8_t *filled;     /* per page: 1 if the cache holds it */
	bool cache_failed;   /* there was no memory for it */
};

/*
 * Connects, and gets the descriptor. The fields of what and where are set, those of the
 * protocol are zeros. Returns 0 or -errno.
 */
int remote_memory_open(struct remote_memory *memory,
		       const struct local_address *address);

/*
 * Of pages that have come, or of one that cannot be read (`err` -EFAULT): 0, or why they cannot be used. Always 0
 * where nothing is verified.
 */
int remote_memory_verify(struct remote_memory *memory, uint64_t address,
			 uint64_t length, int err, const void *bytes);

/* Not one that was prepared since under the same handler id. */
bool remote_memory_is_same(const struct descriptor_header *a,
			   const struct descriptor_header *b);

/* After it was opened, or was not. */
void remote_memory_close(struct remote_memory *memory);

/* The failure that is reported if the connection ends without a request. */
void remote_memory_expect_end(struct remote_memory *memory);

#endif /* DAEMON_REMOTE_MEMORY_H */
