// SPDX-License-Identifier: Apache-2.0
#define _GNU_SOURCE
#include "daemon/page_requests.h"

#include <errno.h>

/* Behind the header of an answer: its status, and the length that it tells. */
static int receive_body(struct wire_connection *c, int err, uint32_t answered,
			uint64_t length, void *bytes)
{
	if (!err && answered != length)
		err = -EMSGSIZE;
	/* Who gives up after it leaves the answers to later requests unread. */
	if (err && err != -EFAULT)
		err = wire_fail(c, err);
	return err ? err : wire_receive(c, bytes, length);
}

int pages_receive(struct wire_connection *c, uint64_t length, void *bytes)
{
	uint32_t answered = 0;
	int err = wire_receive_answer(c, &answered);

	return receive_body(c, err, answered, length, bytes);
}

int page_requests_receive(struct page_requests *r, uint64_t length, void *bytes)
{
	return pages_receive(&r->connection, length, bytes);
}

/* As page_requests_receive(); -EINPROGRESS: the answer is late, and these requests have been set aside. */
static int receive_in_time(struct page_requests *r, const struct read_range *ranges,
			   uint32_t count, void *bytes)
{
	uint32_t answered = 0;
	bool late = false;
	int err;

	if (!r->set_aside)
		return page_requests_receive(r, ranges[0].length, bytes);
	err = wire_receive_answer_in_time(&r->connection, &answered, &late);
	if (!late)
		return receive_body(&r->connection, err, answered, ranges[0].length,
				    bytes);
	return r->set_aside(r, ranges, count)
		       ? -EINPROGRESS
		       : page_requests_receive(r, ranges[0].length, bytes);
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
	err = receive_in_time(r, &range, 1, r->unwanted);
	return err == -EFAULT || err == -EINPROGRESS ? 0 : err;
}

/* Receives the answer to the oldest request over TCP; the next one may be for what was requested ahead. */
static int receive_by_tcp(struct page_requests *r, struct read_range range,
			  void *buffer)
{
	const struct read_range ranges[2] = { range, r->asked };
	const bool ahead = r->asked.length && r->asked_way == WAY_TCP;
	int err = receive_in_time(r, ranges, ahead ? 2 : 1, buffer);

	if (err == -EINPROGRESS && ahead)
		r->asked.length = 0;
	return err;
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
	return err ? err : receive_by_tcp(r, range, buffer);
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
	if (!err && read_ahead_note(r->read_ahead, r->map, now, &next) &&
	    !(r->set_aside && r->is_aside(r, next))) {
		err = ask_some_way(r, next, &r->asked_way);
		r->asked = next;
	}
	*bytes = buffer;
	if (!err && way == WAY_RDMA && receive_by_rdma(r, now, bytes)) {
		*bytes = buffer;
		way = WAY_TCP;
		err = repeat_by_tcp(r, now, buffer);
	} else if (!err && way == WAY_TCP) {
		err = receive_by_tcp(r, now, buffer);
	}
	if (!err)
		page_requests_count(r, way, length / r->page_size);
	else if (err != -EFAULT && err != -EINPROGRESS)
		r->asked.length = 0;
	return err;
}
