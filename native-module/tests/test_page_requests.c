// SPDX-License-Identifier: Apache-2.0
/*
 * Answers are not mistaken for each other: when a pager gets no pages for one of its
 * requests, others are under way, over TCP or by RDMA, whose answers then come first. One that
 * is late is set aside with those behind it.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <pthread.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include "daemon/page_requests.h"
#include "tests/harness.h"

#define PAGE	 4096u
#define BASE	 (1ull << 32)
#define PAGES	 1000u
#define LINK_MAX 4u

static struct segment segment = { BASE, BASE + PAGES *PAGE, BASE };
static const struct address_map map = { .segments = &segment, .count = 1 };
static const struct trace no_trace;
static struct page_counts counts;
static struct read_ahead read_ahead;
static char buffer[2 * PAGE], unwanted[2 * PAGE];

/* The other machine: each page that it sends is full of the page's number. */
static int its_end;
static int refusal;	      /* the status of its answers for `refused` */
static uint64_t refused = ~0; /* page */
static uint64_t held = ~0;    /* page, whose answer waits for a byte in the gate */
static int gate[2];

static uint8_t content(uint64_t address)
{
	return (address - BASE) / PAGE;
}

static void *serve(void *unused)
{
	struct {
		struct wire_header header;
		struct wire_pages pages;
	} request;

	while (recv(its_end, &request, sizeof(request), MSG_WAITALL) ==
	       sizeof(request)) {
		bool refuses = request.pages.address == BASE + refused * PAGE;
		uint32_t length = refuses ? 0 : request.pages.length;
		struct wire_header answer =
			wire_header(WIRE_ANSWER, refuses ? refusal : 0, length);
		char bytes[2 * PAGE];

		if (request.pages.address == BASE + held * PAGE)
			CHECK(read(gate[0], bytes, 1) == 1);
		CHECK(length <= sizeof(bytes));
		memset(bytes, content(request.pages.address), length);
		if (send(its_end, &answer, sizeof(answer), MSG_NOSIGNAL) < 0 ||
		    (length && send(its_end, bytes, length, MSG_NOSIGNAL) < 0))
			break;
	}
	return unused;
}

/* A link whose answers come in the order of its requests. */
static struct rdma_link {
	uint64_t max, asked[LINK_MAX];
	uint32_t count;
	char bytes[PAGE];
} rdma;

void rdma_link_refresh(struct rdma_link *l)
{
	(void)l;
}

uint64_t rdma_link_request_max(const struct rdma_link *l)
{
	return l->max;
}

int rdma_link_ask(struct rdma_link *l, uint64_t address, uint64_t length)
{
	CHECK(length <= l->max && l->count < LINK_MAX);
	l->asked[l->count++] = address;
	return 0;
}

int rdma_link_receive(struct rdma_link *l, uint64_t length, const void **bytes)
{
	CHECK(l->count && length <= sizeof(l->bytes));
	memset(l->bytes, content(l->asked[0]), length);
	memmove(l->asked, l->asked + 1, --l->count * sizeof(l->asked[0]));
	*bytes = l->bytes;
	return 0;
}

static pthread_t begin(struct page_requests *r)
{
	const struct timeval t = { .tv_sec = 10 };
	pthread_t server;
	int ends[2];

	CHECK(!socketpair(AF_UNIX, SOCK_STREAM, 0, ends));
	CHECK(!setsockopt(ends[0], SOL_SOCKET, SO_RCVTIMEO, &t, sizeof(t)));
	memset(&read_ahead, 0, sizeof(read_ahead));
	memset(&rdma, 0, sizeof(rdma));
	*r = (struct page_requests){
		.connection.fd = ends[0],
		.rdma = &rdma,
		.trace = &no_trace,
		.counts = &counts,
		.map = &map,
		.read_ahead = &read_ahead,
		.page_size = PAGE,
		.unwanted = unwanted,
	};
	its_end = ends[1];
	CHECK(!pthread_create(&server, NULL, serve, NULL));
	return server;
}

static void end(struct page_requests *r, pthread_t server)
{
	wire_close(&r->connection);
	CHECK(!pthread_join(server, NULL));
	close(its_end);
}

/* Gets `count` pages. Returns the status; if it is 0, they are the right ones. */
static int get(struct page_requests *r, uint64_t page, uint64_t count)
{
	const uint64_t address = BASE + page * PAGE;
	const void *bytes;
	int err = page_requests_get(r, address, count * PAGE, buffer, &bytes);

	if (!err)
		CHECK_EQ(*(const uint8_t *)bytes, content(address));
	return err;
}

/* The page behind it has been requested when the answer says that there is none. */
static void refused_page(int answered)
{
	struct page_requests r;
	pthread_t server = begin(&r);
	/* It is no answer to say that one is under way. */
	int status = answered == -EINPROGRESS ? -EPROTO : answered;
	int later = status == -EFAULT ? 0 : status;

	refusal = answered;
	refused = 11;
	CHECK_EQ(get(&r, 10, 1), 0);
	CHECK_EQ(get(&r, 11, 1), status);
	CHECK_EQ(r.asked.length, later ? 0 : PAGE);
	CHECK_EQ(get(&r, 40, 1), later);
	CHECK_EQ(get(&r, 12, 1), later);
	refused = ~0;
	end(&r, server);
}

/* The pages that come next are too many for the link, and the connection has ended. */
static void answer_left_on_the_link(void)
{
	struct page_requests r;
	pthread_t server = begin(&r);
	int i;

	for (i = 0; i < 3; i++) {
		CHECK_EQ(get(&r, 10, 1), 0);
		CHECK_EQ(get(&r, 20, 2), 0);
	}
	CHECK_EQ(page_requests_drop(&r), 0);
	rdma.max = PAGE;
	CHECK(!shutdown(its_end, SHUT_RDWR));
	CHECK_EQ(get(&r, 10, 1), -ECONNRESET);
	CHECK_EQ(rdma.count, 1);
	CHECK_EQ(get(&r, 50, 1), -ECONNRESET);
	end(&r, server);
}

static bool leaves;
static struct read_range aside[2];
static uint32_t aside_count;

static bool set_aside(struct page_requests *r, const struct read_range *ranges,
		      uint32_t count)
{
	(void)r;
	/* On a busy machine any answer can be late. */
	if (ranges[0].address != BASE + held * PAGE)
		return false;
	memcpy(aside, ranges, count * sizeof(*ranges));
	aside_count = count;
	if (!leaves)
		CHECK(write(gate[1], "", 1) == 1);
	return leaves;
}

static bool is_aside(const struct page_requests *r, struct read_range range)
{
	(void)r;
	return aside_count && range.address == aside[0].address;
}

/* The page behind it has been requested as well. */
static void late_answer(bool it_leaves)
{
	struct page_requests r;
	pthread_t server = begin(&r);

	CHECK(!pipe(gate));
	leaves = it_leaves;
	held = 11;
	r.connection.deadline_ms = 10000;
	r.set_aside = set_aside;
	r.is_aside = is_aside;
	aside_count = 0;
	CHECK_EQ(wire_set_late(&r.connection, 10), 0);
	CHECK_EQ(get(&r, 10, 1), 0);
	CHECK_EQ(get(&r, 11, 1), leaves ? -EINPROGRESS : 0);
	CHECK_EQ(aside_count, 2);
	CHECK_EQ(aside[0].address, BASE + 11 * PAGE);
	CHECK_EQ(aside[1].address, BASE + 12 * PAGE);
	CHECK_EQ(r.asked.length, leaves ? 0 : PAGE);
	if (leaves) {
		CHECK(write(gate[1], "", 1) == 1);
		CHECK_EQ(page_requests_receive(&r, PAGE, buffer), 0);
		CHECK_EQ((uint8_t)*buffer, content(aside[0].address));
		CHECK_EQ(page_requests_receive(&r, PAGE, buffer), 0);
		CHECK_EQ((uint8_t)*buffer, content(aside[1].address));
	}
	CHECK_EQ(get(&r, 40, 1), 0);
	held = ~0;
	/* It is not requested ahead as long as it is to come. */
	CHECK_EQ(get(&r, 9, 1), 0);
	CHECK_EQ(get(&r, 10, 1), 0);
	CHECK_EQ(r.asked.length, 0);
	end(&r, server);
	close(gate[0]);
	close(gate[1]);
}

int main(void)
{
	refused_page(-EFAULT);
	refused_page(-EINVAL);
	refused_page(-ENOENT);
	refused_page(-EINPROGRESS);
	answer_left_on_the_link();
	late_answer(true);
	late_answer(false);
	return 0;
}
