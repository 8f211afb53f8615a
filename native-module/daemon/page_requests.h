/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A pager's requests for pages of another machine's snapshot: over TCP, or by RDMA where
 * there is a link; what does not come by that is asked for again over TCP.
 */
#ifndef DAEMON_PAGE_REQUESTS_H
#define DAEMON_PAGE_REQUESTS_H

#include "daemon/page_counts.h"
#include "daemon/rdma_link.h"
#include "daemon/read_ahead.h"
#include "paging/trace.h"
#include "proto/user/connection.h"

/* How a request travels. */
enum way {
	WAY_TCP,
	WAY_RDMA,
};

struct page_requests {
	struct wire_connection connection; /* to the shadow, over TCP */
	/*
	 * The oldest of these requests is late: sets them aside with the connection, which becomes
	 * another one. False: they have to be waited for. NULL: no answer is late.
	 */
	bool (*set_aside)(struct page_requests *r, const struct read_range *ranges,
			  uint32_t count);
	/* Whether pages of the range have been set aside: they are not requested ahead. With `set_aside`. */
	bool (*is_aside)(const struct page_requests *r, struct read_range range);
	/*
	 * Finds a page that was set aside. Returns 0 with where it and those behind it are, -EINPROGRESS it is still
	 * to come, -EREMOTEIO it has not come within the deadline, or -ENOENT: it was not set aside, nor the *length
	 * bytes from there. With `set_aside`.
	 */
	int (*find_aside)(const struct page_requests *r, uint64_t address,
			  uint64_t *length, const void **bytes);
	/* Waits until that would say something else of some page. */
	void (*wait_for_aside)(const struct page_requests *r);
	struct rdma_link *rdma; /* NULL: none was asked for, or none can be */
	const struct trace *trace;
	struct page_counts *counts; /* of all pagers */
	const struct address_map *map;
	struct read_ahead *read_ahead;
	uint64_t page_size;
	char *unwanted;		 /* WIRE_PAGES_MAX bytes */
	struct read_range asked; /* requested ahead; length 0: nothing */
	enum way asked_way;
	uint64_t pages[2];  /* that came, by enum way */
	uint64_t fallbacks; /* requests that went to RDMA and had to go to TCP */
};

/* Asks for pages over TCP. Returns 0 or -errno. */
int page_requests_ask(struct page_requests *r, uint64_t address, uint64_t length);

/*
 * Receives the answer to the oldest request over TCP. Returns 0, -EFAULT the snapshot has
 * none there, or -errno: there will be no other answer.
 */
int page_requests_receive(struct page_requests *r, uint64_t length, void *bytes);

/* The same of any connection. */
int pages_receive(struct wire_connection *connection, uint64_t length, void *bytes);

/* Counts pages that have come. page_requests_get() does it itself. */
void page_requests_count(struct page_requests *r, enum way way, uint64_t pages);

/*
 * Receives and drops the pages that were requested ahead: before any other request over
 * TCP. Returns 0 or -errno.
 */
int page_requests_drop(struct page_requests *r);

/*
 * Gets pages from the other machine, and requests the predicted next ones, which arrive
 * while these are used. *bytes is where they are until the next call: in `buffer`, or
 * where they have come. Returns 0, -EFAULT the snapshot has none there, -EINPROGRESS they
 * come later, by what `set_aside` has set aside, or -errno: there
 * will be no others.
 */
int page_requests_get(struct page_requests *r, uint64_t address, uint64_t length,
		      void *buffer, const void **bytes);

#endif /* DAEMON_PAGE_REQUESTS_H */
