/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A pager's requests over TCP that are not answered in time. Each is set aside with the connection that its
 * answer will come over, and the pager goes on with another one: only those wait for the pages who need them.
 */
#ifndef DAEMON_LATE_REQUESTS_H
#define DAEMON_LATE_REQUESTS_H

#include <stdbool.h>
#include <stdint.h>

#include "daemon/read_ahead.h"
#include "local/address.h"
#include "paging/page_source.h"
#include "proto/user/connection.h"

struct remote_memory;

enum late_state {
	LATE_NONE,
	LATE_COMING,
	LATE_HERE,
	LATE_FAILED,
};

struct late_pages {
	struct read_range range;
	enum late_state state;
	char *bytes;	    /* LATE_HERE */
	int64_t expires_ms; /* LATE_FAILED: who asks later asks the other machine again */
};

struct late_request {
	struct wire_connection connection; /* while one of `pages` comes */
	struct late_pages pages[2];	   /* in the order of their answers */
	int64_t deadline_ms;		   /* of the next answer */
	bool grace;			   /* that has been prolonged */
};

/* Begins as zeros: then no request is set aside. */
struct late_requests {
	const struct local_address *address; /* of the other machine */
	int late_ms;			     /* an answer is late after that long */
	uint32_t used;			     /* of all `pages`, not LATE_NONE */
	struct late_request requests[PAGE_SOURCE_LATE_MAX];
	struct wire_connection spare; /* without requests */
	bool has_spare;
	int64_t not_before_ms; /* there was no other connection: no try sooner */
};

/* Begins to set requests aside. `open_ms`: how long it took to open the snapshot at `address`. */
void late_requests_begin(struct remote_memory *memory,
			 const struct local_address *address, int64_t open_ms);

/*
 * Finds a page that was set aside. Returns 0 with where it and those behind it are, -EINPROGRESS it is still to
 * come, -EREMOTEIO it has not come within the deadline, or -ENOENT: it was not set aside, nor the *length bytes
 * from there.
 */
int late_requests_find(struct remote_memory *memory, uint64_t address,
		       uint64_t *length, const void **bytes);

/* Waits until late_requests_find() would say something else of some page. */
void late_requests_wait(struct remote_memory *memory);

#endif /* DAEMON_LATE_REQUESTS_H */
