// SPDX-License-Identifier: Apache-2.0
#define _GNU_SOURCE
#include "daemon/page_requests.h"

#include <errno.h>

int page_requests_receive(struct page_requests *r, uint64_t length, void *bytes)
{
	uint32_t answered = 0;
	int err = wire_receive_answer(&r->connection, &answered);

	if (!err && answered != length)
		err = -EMSGSIZE;
	/* Who gives up after it leaves the answers to later requests unread. */
	if (err && err != -EFAULT)
		err = wire_fail(&r->connection, err);
	return err ? err : wire_receive(&r->connection, bytes, length);
}

int page_requests_ask(struct page_requests *r, uint64_t address, uint64_t length)
{
	struct wire_pages request = { .address = address, .length = length };

	trace(r->trace, TRACE_PAGES, "asks for pages",
	      TRACE_NUMBER("address", address), TRACE_NUMBER("length", length));
	return wire_send(&r->connection, WIRE_PAGES, &request, sizeof(request));
}

void page_requests_count(struct page_requests *r, enum way way, uint64_t pages)
{
	r->pages[way] += pages;
	*(way == WAY_RDMA ? &r->counts->by_rdma : &r->counts->by_tcp) += pages;
}

static void count_fallback(struct page_requests *r)
{
	r->fallbacks++;
	r->counts->fallbacks++;
}

/* Asks on the way that is there. */
static int ask_some_way(struct page_requests *r, struct read_range range,
			enum way *way)
{
	*way = WAY_TCP;
	if (range.length <= rdma_link_request_max(r->rdma)) {
		if (!rdma_link_ask(r->rdma, range.address, range.length)) {
			*way = WAY_RDMA;
			return 0;
		}
		count_fallback(r);
	}
	return page_requests_ask(r, range.address, range.length);
}

/*
 * Receives an answer by RDMA. What does not come so comes over TCP; when the link ends,
 * what was requested ahead on it is lost.
 */
static int receive_by_rdma(struct page_requests *r, struct read_range range,
			   const void **bytes)
{
	int err = rdma_link_receive(r->rdma, range.length, bytes);

	if (err && err != -EFAULT && r->asked_way == WAY_RDMA)
		r->asked.length = 0;
	return err;
}

int page_requests_drop(struct page_requests *r)
{
	struct read_range range = r->asked;
	const void *bytes;
	int err;

	r->asked.length = 0;
	if (!range.length)
		return 0;
	if (r->asked_way == WAY_RDMA) {
		receive_by_rdma(r, range, &bytes);
		return 0;
	}
	err = page_requests_receive(r, range.length, r->unwanted);
	return err == -EFAULT ? 0 : err;
}

/* Asks again, over TCP, for what did not come by RDMA. */
static int repeat_by_tcp(struct page_requests *r, struct read_range range,
			 void *buffer)
{
	int err = 0;

	count_fallback(r);
	/* Answers come in the order of the requests. */
	if (r->asked_way == WAY_TCP)
		err = page_requests_drop(r);
	if (!err)
		err = page_requests_ask(r, range.address, range.length);
	return err ? err : page_requests_receive(r, range.length, buffer);
}

int page_requests_get(struct page_requests *r, uint64_t address, uint64_t length,
		      void *buffer, const void **bytes)
{
	const struct read_range now = { address, length };
	bool asked = r->asked.length == length && r->asked.address == address;
	struct read_range next = { 0 };
	enum way way = r->asked_way;
	int err = r->connection.failure;

	/* Nor by RDMA, where an answer may have been left unread as well. */
	if (err)
		return err;
	if (!asked)
		err = page_requests_drop(r);
	/* A link that has ended has no request under way any more. */
	rdma_link_refresh(r->rdma);
	if (!err && !asked)
		err = ask_some_way(r, now, &way);
	r->asked.length = 0;
	if (!err && read_ahead_note(r->read_ahead, r->map, now, &next)) {
		err = ask_some_way(r, next, &r->asked_way);
		r->asked = next;
	}
	*bytes = buffer;
	if (!err && way == WAY_RDMA && receive_by_rdma(r, now, bytes)) {
		*bytes = buffer;
		way = WAY_TCP;
		err = repeat_by_tcp(r, now, buffer);
	} else if (!err && way == WAY_TCP) {
		err = page_requests_receive(r, length, buffer);
	}
	if (!err)
		page_requests_count(r, way, length / r->page_size);
	else if (err != -EFAULT)
		r->asked.length = 0;
	return err;
}
