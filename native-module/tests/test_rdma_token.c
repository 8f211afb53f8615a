// SPDX-License-Identifier: Apache-2.0
/*
 * Who may read a snapshot by RDMA, and what: a token is good for one connection within
 * its time; requests get pages of the snapshot and nothing else.
 */
#define _GNU_SOURCE
#include "tests/rdma_child.h"

#include "tests/harness.h"

#ifndef MITOSIS_RDMA
int main(void)
{
	skip("needs libibverbs-dev and librdmacm-dev when it is built");
}
#else
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <unistd.h>

#include "daemon/rdma_libraries.h"
#include "local/address.h"
#include "proto/user/auth_config.h"

#define PAGE	    4096u
#define PAGES_MAX   4u
#define DEADLINE_MS 20000
/* The memory: room for an answer, then a request. */
#define REQUEST_AT  (2 * PAGES_MAX * PAGE)
#define SENT	    99

struct answer {
	struct wire_rdma_answer answer;
	struct wire_rdma_address address;
};

static struct rdma_libraries libraries;
static struct rdma_event_channel *events;
static struct rdma_cm_id *id;
static struct rdma_queues queues;
static const char *host;
static uint64_t snapshot; /* its number: struct wire_rights */

static struct auth connect_to_machine(struct wire_connection *c)
{
	struct local_address address;
	struct sockaddr_in6 where;
	struct auth auth;
	char message[256];

	CHECK_EQ(local_address_parse(rdma_machine.address, &address), 0);
	local_address_to_socket(&address, &where);
	CHECK_EQ(auth_configure(&auth, message, sizeof(message)), 0);
	CHECK_EQ(wire_connect(c, &where, &auth), 0);
	return auth;
}

static uint64_t number_of_snapshot(void)
{
	struct wire_connection c;
	uint64_t number;

	connect_to_machine(&c);
	number = machine_open_snapshot(&c, RDMA_ID);
	wire_close(&c);
	return number;
}

/* Asks for a token; returns the status of the answer. */
static int ask(const struct wire_rdma *request, uint8_t token[WIRE_RDMA_TOKEN_SIZE],
	       struct answer *answer)
{
	struct wire_connection c;
	const struct auth auth = connect_to_machine(&c);
	uint32_t length;
	int err;

	CHECK_EQ(auth_rdma_token(&auth, &c.handshake, request->handler_id, token),
		 0);
	CHECK_EQ(wire_send(&c, WIRE_RDMA, request, sizeof(*request)), 0);
	err = wire_receive_answer(&c, &length);
	if (!err) {
		CHECK_EQ(length, sizeof(*answer));
		CHECK_EQ(wire_receive(&c, answer, sizeof(*answer)), 0);
		CHECK_EQ(answer->answer.count, 1);
		CHECK_EQ(answer->answer.pages_max, PAGES_MAX);
		CHECK_EQ(answer->answer.depth, 1);
	}
	wire_close(&c);
	return err;
}

static struct answer get_token(uint8_t token[WIRE_RDMA_TOKEN_SIZE])
{
	const struct wire_rdma request = { RDMA_ID, 0, PAGES_MAX, 1, snapshot };
	struct answer answer;

	CHECK_EQ(ask(&request, token, &answer), 0);
	return answer;
}

static enum rdma_cm_event_type next_event(void)
{
	struct pollfd p = { .fd = events->fd, .events = POLLIN };
	struct rdma_cm_event *event;
	enum rdma_cm_event_type type;

	CHECK(poll(&p, 1, DEADLINE_MS) == 1);
	CHECK(!libraries.get_cm_event(events, &event));
	type = event->event;
	libraries.ack_cm_event(event);
	return type;
}

/* What comes of a connection with a token: established, or rejected. */
static enum rdma_cm_event_type connect_with(const struct answer *answer,
					    const uint8_t *token, uint8_t size)
{
	const struct rdma_queue_sizes sizes = {
		.memory = REQUEST_AT + PAGE,
		.receives = 4,
		.sends = 4,
	};
	struct rdma_conn_param param = {
		.retry_count = 6,
		.rnr_retry_count = 6,
		.private_data = token,
		.private_data_len = size,
	};
	struct sockaddr_in where = {
		.sin_family = AF_INET,
		.sin_port = htons(answer->address.port),
	};

	CHECK(inet_pton(AF_INET, host, &where.sin_addr) == 1);
	CHECK(!memcmp(answer->address.ip + 12, &where.sin_addr, 4));
	CHECK(!libraries.create_id(events, &id, NULL, RDMA_PS_TCP));
	CHECK(!libraries.resolve_addr(id, NULL, (struct sockaddr *)&where,
				      DEADLINE_MS));
	CHECK_EQ(next_event(), RDMA_CM_EVENT_ADDR_RESOLVED);
	CHECK(!libraries.resolve_route(id, DEADLINE_MS));
	CHECK_EQ(next_event(), RDMA_CM_EVENT_ROUTE_RESOLVED);
	CHECK_EQ(rdma_queues_create(&libraries, id, &sizes, &queues), 0);
	CHECK(!libraries.connect(id, &param));
	return next_event();
}

/* The connection manager has something to say: of an established one, that it has ended. */
static bool has_ended(void)
{
	struct pollfd p = { .fd = events->fd, .events = POLLIN };

	return poll(&p, 1, 0) > 0;
}

static void leave(void)
{
	libraries.disconnect(id);
	while (has_ended())
		next_event();
	rdma_queues_destroy(&libraries, id, &queues);
	libraries.destroy_id(id);
}

/* True with a completion, or when the other end has closed the connection. */
static bool poll_once(struct ibv_wc *wc)
{
	int n = ibv_poll_cq(queues.cq, 1, wc);

	CHECK(n >= 0);
	wc->status = n ? wc->status : IBV_WC_WR_FLUSH_ERR;
	return n || has_ended();
}

/* The size of the answer to a message, or -ECONNRESET. */
static long exchange(const void *message, uint32_t size)
{
	struct ibv_wc wc;

	memset(queues.memory, 0x55, REQUEST_AT);
	memcpy(queues.memory + REQUEST_AT, message, size);
	CHECK_EQ(rdma_post_receive(id, &queues, 0, REQUEST_AT, 1), 0);
	CHECK_EQ(rdma_post_send(id, &queues, REQUEST_AT, size, SENT), 0);
	do {
		CHECK_SOON(poll_once(&wc), DEADLINE_MS);
		if (wc.status != IBV_WC_SUCCESS)
			return -ECONNRESET;
	} while (wc.wr_id == SENT);
	return wc.byte_len;
}

static long ask_for(uint64_t address, uint64_t length)
{
	const struct wire_rdma_request request = {
		wire_header(WIRE_PAGES, 0, sizeof(request.pages)),
		{ address, length },
	};

	return exchange(&request, sizeof(request));
}

static void pages_of_the_snapshot_only(void)
{
	const uint64_t at = (uintptr_t)rdma_memory();

	CHECK_EQ(ask_for(at, 2 * PAGE), 2 * PAGE);
	CHECK(rdma_is_memory(queues.memory, 0, 2 * PAGE));
	CHECK_EQ(ask_for(at + 5 * PAGE, PAGES_MAX * PAGE), PAGES_MAX * PAGE);
	CHECK(rdma_is_memory(queues.memory, 5 * PAGE, PAGES_MAX * PAGE));
	/* Not mapped, not aligned, too long, nothing, over the end of all addresses. */
	CHECK_EQ(ask_for(PAGE, PAGE), 0);
	CHECK_EQ(ask_for(at + 8, PAGE), 0);
	CHECK_EQ(ask_for(at, PAGE / 2), 0);
	CHECK_EQ(ask_for(at, (PAGES_MAX + 1) * PAGE), 0);
	CHECK_EQ(ask_for(at, 0), 0);
	CHECK_EQ(ask_for(-(uint64_t)PAGE, 2 * PAGE), 0);
	CHECK_EQ(ask_for(at, -(uint64_t)PAGE), 0);
	/* Refusals end nothing. */
	CHECK_EQ(ask_for(at, PAGE), PAGE);
	CHECK(rdma_is_memory(queues.memory, 0, PAGE));
}

static void tokens(void)
{
	uint8_t token[WIRE_RDMA_TOKEN_SIZE], other[WIRE_RDMA_TOKEN_SIZE];
	struct answer answer = get_token(token);

	CHECK(getrandom(other, sizeof(other), 0) == sizeof(other));
	CHECK_EQ(connect_with(&answer, other, sizeof(other)),
		 RDMA_CM_EVENT_REJECTED);
	leave();
	CHECK_EQ(connect_with(&answer, token, sizeof(token) - 1),
		 RDMA_CM_EVENT_REJECTED);
	leave();
	CHECK_EQ(connect_with(&answer, token, sizeof(token)),
		 RDMA_CM_EVENT_ESTABLISHED);
	pages_of_the_snapshot_only();
	leave();
	/* Used up, by a connection that has ended. */
	CHECK_EQ(connect_with(&answer, token, sizeof(token)),
		 RDMA_CM_EVENT_REJECTED);
	leave();
	answer = get_token(token);
	sleep_ms(WIRE_RDMA_TOKEN_MS + 100);
	CHECK_EQ(connect_with(&answer, token, sizeof(token)),
		 RDMA_CM_EVENT_REJECTED);
	leave();
}

/* A message that is none ends the connection of its sender, and of no other. */
static void bad_messages(void)
{
	uint8_t token[WIRE_RDMA_TOKEN_SIZE];
	struct wire_rdma_request r = {
		wire_header(WIRE_PAGES, 0, sizeof(r.pages)),
		{ (uintptr_t)rdma_memory(), PAGE },
	};
	struct answer answer = get_token(token);

	CHECK_EQ(connect_with(&answer, token, sizeof(token)),
		 RDMA_CM_EVENT_ESTABLISHED);
	CHECK_EQ(exchange(&r, sizeof(r) - 1), -ECONNRESET);
	leave();
	r.header.magic ^= 1;
	answer = get_token(token);
	CHECK_EQ(connect_with(&answer, token, sizeof(token)),
		 RDMA_CM_EVENT_ESTABLISHED);
	CHECK_EQ(exchange(&r, sizeof(r)), -ECONNRESET);
	leave();
}

/* The page frames of the pages that parent and snapshot share, and their users. */
static void look_at_frames(uint64_t frames[RDMA_KEPT], uint64_t users[RDMA_KEPT])
{
	int map = open("/proc/self/pagemap", O_RDONLY | O_CLOEXEC);
	int counts = open("/proc/kpagecount", O_RDONLY | O_CLOEXEC);
	size_t i;

	CHECK(map >= 0 && counts >= 0);
	CHECK_EQ(pread(map, frames, RDMA_KEPT * sizeof(*frames),
		       (uintptr_t)rdma_memory() / PAGE * sizeof(*frames)),
		 RDMA_KEPT * sizeof(*frames));
	for (i = 0; i < RDMA_KEPT; i++) {
		frames[i] &= (1ull << 55) - 1;
		CHECK(frames[i]);
		CHECK_EQ(pread(counts, &users[i], sizeof(*users),
			       frames[i] * sizeof(*users)),
			 sizeof(*users));
	}
	close(map);
	close(counts);
}

/* Pages are sent from where they are: parent and snapshot share them as before. */
static void pages_stay_shared(void)
{
	uint64_t frames[RDMA_KEPT], users[RDMA_KEPT];
	uint64_t frames_after[RDMA_KEPT], users_after[RDMA_KEPT];
	uint8_t token[WIRE_RDMA_TOKEN_SIZE];
	struct answer answer = get_token(token);
	uint64_t i;

	look_at_frames(frames, users);
	CHECK_EQ(connect_with(&answer, token, sizeof(token)),
		 RDMA_CM_EVENT_ESTABLISHED);
	for (i = 0; i < RDMA_KEPT; i += PAGES_MAX) {
		CHECK_EQ(ask_for((uintptr_t)rdma_memory() + i * PAGE,
				 PAGES_MAX * PAGE),
			 PAGES_MAX * PAGE);
		CHECK(rdma_is_memory(queues.memory, i * PAGE, PAGES_MAX * PAGE));
	}
	leave();
	look_at_frames(frames_after, users_after);
	for (i = 0; i < RDMA_KEPT; i++) {
		CHECK(users[i] >= 2);
		CHECK_EQ(frames_after[i], frames[i]);
		CHECK_EQ(users_after[i], users[i]);
	}
}

static void bad_questions(void)
{
	const struct wire_rdma unknown = { RDMA_ID + 1, 0, PAGES_MAX, 1, snapshot };
	const struct wire_rdma another = { RDMA_ID, 0, PAGES_MAX, 1, snapshot + 2 };
	const struct wire_rdma no_pages = { RDMA_ID, 0, 0, 1, snapshot };
	const struct wire_rdma no_depth = { RDMA_ID, 0, PAGES_MAX, 0, snapshot };
	uint8_t token[WIRE_RDMA_TOKEN_SIZE];
	struct answer answer;

	CHECK_EQ(ask(&unknown, token, &answer), -ENOENT);
	/* It has had the handler id before, or after, say. */
	CHECK_EQ(ask(&another, token, &answer), -ENOENT);
	CHECK_EQ(ask(&no_pages, token, &answer), -EINVAL);
	CHECK_EQ(ask(&no_depth, token, &answer), -EINVAL);
}

int main(void)
{
	char problem[256];

	host = getenv("MITOSIS_TEST_RDMA_HOST");
	if (!host)
		skip("needs MITOSIS_TEST_RDMA_HOST, the address of an RDMA device");
	rdma_prepare(host);
	snapshot = number_of_snapshot();
	CHECK_EQ(rdma_libraries_load(&libraries, problem, sizeof(problem)), 0);
	events = libraries.create_event_channel();
	CHECK(events);
	bad_questions();
	pages_stay_shared();
	tokens();
	bad_messages();
	rdma_end();
	return 0;
}
#endif
