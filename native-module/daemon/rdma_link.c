// SPDX-License-Identifier: Apache-2.0
#define _GNU_SOURCE
#include "daemon/rdma_link.h"

#include <errno.h>
#include <stdio.h>

#ifndef MITOSIS_RDMA
struct rdma_link *rdma_link_start(const struct rdma_link_target *target)
{
	if (!target->optional)
		fprintf(stderr,
			"mitosis: no RDMA to machine %u at %s: this mitosisd was "
			"built without libibverbs-dev and librdmacm-dev; its pages "
			"come over TCP\n",
			target->machine_id, target->place);
	return NULL;
}

void rdma_link_refresh(struct rdma_link *link)
{
	(void)link;
}

uint64_t rdma_link_request_max(const struct rdma_link *link)
{
	(void)link;
	return 0;
}

int rdma_link_ask(struct rdma_link *link, uint64_t address, uint64_t length)
{
	(void)link, (void)address, (void)length;
	return -ENODEV;
}

int rdma_link_receive(struct rdma_link *link, uint64_t length, const void **bytes)
{
	(void)link, (void)length, (void)bytes;
	return -ENODEV;
}
#else
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "daemon/loop.h"
#include "daemon/rdma_libraries.h"
#include "local/address.h"
#include "local/gid.h"
#include "local/interrupted.h"
#include "proto/user/connection.h"

#define PAGES_MAX	  256u
#define DEPTH		  2u
/* Time that a completion is polled for before the pager sleeps, ns. */
#define SPIN_NS		  20000
/* At most that of a device's attempts until it gives a request up: 7 is no limit on rxe. */
#define RETRIES		  6
#define NOT_READY_RETRIES 6
#define WAIT_MS_MAX	  4000
#define RETRY_MS_DEFAULT  5000
#define RETRY_MS_MAX	  3600000
/* Of wr_id: the completion of a SEND. */
#define SENT		  (1ull << 32)

enum link_state {
	LINK_STARTS,
	LINK_READY,
	LINK_ENDED,
};

struct rdma_link {
	struct rdma_link_target target;
	_Atomic int
		state; /* enum link_state; LINK_STARTS: the rest is the thread's */
	int64_t retry_ns; /* LINK_ENDED: CLOCK_MONOTONIC of the next attempt, or never */
	bool loaded;
	struct rdma_libraries libraries;
	struct rdma_event_channel *events;
	struct rdma_cm_id *id;
	struct rdma_queues queues;
	uint64_t page_size;
	uint32_t pages_max, depth;
	uint32_t asked, received; /* requests, modulo 2^32 */
	char why[256];		  /* it could not be set up */
	char told[256];		  /* the last why that was printed */
};

static int64_t now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1000000000ll + t.tv_nsec;
}

/* A request that is late is asked for over TCP, which has the same time again. */
static int request_ms(void)
{
	int ms = wire_deadline_ms() / 4;

	return ms ? ms : 1;
}

/* The memory: an answer for each request that is under way, then the requests. */
static size_t answer_offset(const struct rdma_link *l, uint32_t number)
{
	return number % l->depth * l->pages_max * l->page_size;
}

static size_t request_offset(const struct rdma_link *l, uint32_t number)
{
	return l->depth * l->pages_max * l->page_size +
	       number % l->depth * sizeof(struct wire_rdma_request);
}

static int problem(struct rdma_link *l, const char *step, int err)
{
	snprintf(l->why, sizeof(l->why), "%s: %s", step, strerror(-err));
	return err;
}

/* Asks the other mitosisd to expect the token. */
static int ask_daemon(struct rdma_link *l, uint8_t token[WIRE_RDMA_TOKEN_SIZE],
		      struct wire_rdma_address addresses[WIRE_RDMA_ADDRESSES_MAX],
		      uint32_t *count)
{
	const struct rdma_link_target *t = &l->target;
	struct wire_rdma request = {
		.handler_id = t->handler_id,
		.owner_uid = geteuid(),
		.pages_max = PAGES_MAX,
		.depth = DEPTH,
		.snapshot = t->snapshot,
	};
	struct wire_connection c;
	struct wire_rdma_answer answer;
	struct sockaddr_in6 where;
	uint32_t length = 0;
	int err;

	local_address_to_socket(&t->address, &where);
	err = wire_connect(&c, &where, t->auth);
	if (err)
		return problem(l, "its mitosisd", err);
	err = auth_rdma_token(t->auth, &c.handshake, t->handler_id, token);
	if (!err)
		err = wire_send(&c, WIRE_RDMA, &request, sizeof(request));
	if (!err)
		err = wire_receive_answer(&c, &length);
	if (!err && (length < sizeof(answer) ||
		     length > sizeof(answer) + WIRE_RDMA_ADDRESSES_MAX *
						       sizeof(addresses[0])))
		err = -EMSGSIZE;
	if (!err)
		err = wire_receive(&c, &answer, sizeof(answer));
	if (!err &&
	    (answer.count < 1 || answer.count > WIRE_RDMA_ADDRESSES_MAX ||
	     length != sizeof(answer) + answer.count * sizeof(addresses[0]) ||
	     answer.pages_max < 1 || answer.pages_max > PAGES_MAX ||
	     answer.depth < DEPTH || answer.depth > DEPTH))
		err = -EMSGSIZE;
	if (!err)
		err = wire_receive(&c, addresses,
				   answer.count * sizeof(addresses[0]));
	wire_close(&c);
	if (err == -ENODEV)
		return problem(l, "that machine has none", err);
	if (err)
		return problem(l, "its mitosisd", err);
	l->pages_max = answer.pages_max;
	l->depth = answer.depth;
	*count = answer.count;
	return 0;
}

/* Waits for the connection manager's next event. Returns 0 or -errno. */
static int expect_event(struct rdma_link *l, enum rdma_cm_event_type type)
{
	struct pollfd p = { .fd = l->events->fd, .events = POLLIN };
	struct rdma_cm_event *event;
	enum rdma_cm_event_type got;

	if (poll_within(&p, 1, wire_deadline_ms()) <= 0)
		return problem(l, "the connection manager", -ETIMEDOUT);
	if (l->libraries.get_cm_event(l->events, &event))
		return problem(l, "the connection manager", -errno);
	got = event->event;
	l->libraries.ack_cm_event(event);
	if (got == type)
		return 0;
	snprintf(l->why, sizeof(l->why), "the connection manager: %s",
		 l->libraries.event_str(got));
	return -ECONNREFUSED;
}

static void to_socket(const struct rdma_link *l, const uint8_t ip[16], uint16_t port,
		      struct sockaddr_storage *where)
{
	struct sockaddr_in6 *in6 = (struct sockaddr_in6 *)where;
	struct sockaddr_in *in = (struct sockaddr_in *)where;

	memset(where, 0, sizeof(*where));
	if (IN6_IS_ADDR_V4MAPPED((const struct in6_addr *)ip)) {
		in->sin_family = AF_INET;
		in->sin_port = htons(port);
		memcpy(&in->sin_addr, ip + 12, sizeof(in->sin_addr));
		return;
	}
	in6->sin6_family = AF_INET6;
	in6->sin6_port = htons(port);
	memcpy(&in6->sin6_addr, ip, sizeof(in6->sin6_addr));
	if (IN6_IS_ADDR_LINKLOCAL(&in6->sin6_addr))
		in6->sin6_scope_id = l->target.address.scope;
}

/*
 * What leads through the RDMA port that the address names, if it names one: an address
 * of that to connect from. Returns 0 or -errno.
 */
static int choose_source(struct rdma_link *l, const uint8_t to[16],
			 struct gid_port *port, struct sockaddr_storage *from)
{
	uint8_t ip[16];
	int err = gid_port_find(GID_DEVICES, l->target.address.nic - 1u, port);

	if (err)
		return problem(l, "no RDMA port has that nic_id", err);
	err = gid_port_source(GID_DEVICES, port, to, ip);
	if (!err)
		to_socket(l, ip, 0, from);
	/* Where GIDs are not made of addresses (InfiniBand), the route decides. */
	return 0;
}

/* Whether the route leads over the RDMA port that the address names. */
static int check_port(struct rdma_link *l, const struct gid_port *port)
{
	const char *device = l->id->verbs->device->name;

	if (!strcmp(device, port->device) && l->id->port_num == port->number)
		return 0;
	snprintf(l->why, sizeof(l->why),
		 "the route leads over %s port %u, and not over nic_id %u (%s port "
		 "%u)",
		 device, l->id->port_num, l->target.address.nic - 1u, port->device,
		 port->number);
	return -ENODEV;
}

static void close_connection(struct rdma_link *l)
{
	if (!l->id)
		return;
	rdma_queues_destroy(&l->libraries, l->id, &l->queues);
	l->libraries.destroy_id(l->id);
	l->id = NULL;
}

static int make_queues(struct rdma_link *l)
{
	const struct rdma_queue_sizes sizes = {
		.memory = request_offset(l, 0) +
			  l->depth * sizeof(struct wire_rdma_request),
		.receives = l->depth,
		.sends = 2 * l->depth,
	};

	return rdma_queues_create(&l->libraries, l->id, &sizes, &l->queues);
}

/* Connects to one of the other machine's addresses. */
static int connect_to(struct rdma_link *l, const struct wire_rdma_address *address,
		      const uint8_t token[WIRE_RDMA_TOKEN_SIZE])
{
	const struct rdma_libraries *lib = &l->libraries;
	struct rdma_conn_param param = {
		.retry_count = RETRIES,
		.rnr_retry_count = NOT_READY_RETRIES,
		.private_data = token,
		.private_data_len = WIRE_RDMA_TOKEN_SIZE,
	};
	struct sockaddr_storage where, from = { 0 };
	const bool chosen = l->target.address.nic != 0;
	struct gid_port port;
	int err = chosen ? choose_source(l, address->ip, &port, &from) : 0;

	if (err)
		return err;
	to_socket(l, address->ip, address->port, &where);
	if (lib->create_id(l->events, &l->id, NULL, RDMA_PS_TCP))
		return problem(l, "a connection", -errno);
	if (lib->resolve_addr(l->id,
			      from.ss_family ? (struct sockaddr *)&from : NULL,
			      (struct sockaddr *)&where, wire_deadline_ms()))
		return problem(l, "no RDMA device reaches it", -errno);
	err = expect_event(l, RDMA_CM_EVENT_ADDR_RESOLVED);
	if (!err && chosen)
		err = check_port(l, &port);
	if (err)
		return err;
	if (lib->resolve_route(l->id, wire_deadline_ms()))
		return problem(l, "no RDMA device reaches it", -errno);
	err = expect_event(l, RDMA_CM_EVENT_ROUTE_RESOLVED);
	if (err)
		return err;
	err = make_queues(l);
	if (err)
		return problem(l, "the device's queues (ulimit -l?)", err);
	if (lib->connect(l->id, &param))
		return problem(l, "connecting", -errno);
	err = expect_event(l, RDMA_CM_EVENT_ESTABLISHED);
	if (!err && rdma_queues_close_memory(lib, l->id))
		err = problem(l, "the queues' access", -EPERM);
	return err;
}

static int set_up(struct rdma_link *l)
{
	struct wire_rdma_address addresses[WIRE_RDMA_ADDRESSES_MAX];
	uint8_t token[WIRE_RDMA_TOKEN_SIZE];
	uint32_t count = 0;
	int err = l->loaded ? 0
			    : rdma_libraries_load(&l->libraries, l->why,
						  sizeof(l->why));

	if (err)
		return err;
	l->loaded = true;
	if (!l->events)
		l->events = l->libraries.create_event_channel();
	if (!l->events)
		return problem(l, "the connection manager", -errno);
	err = ask_daemon(l, token, addresses, &count);
	/* The token is used up by the first address that is reached. */
	while (!err && count--) {
		err = connect_to(l, &addresses[count], token);
		if (!err || !count)
			break;
		close_connection(l);
		err = 0;
	}
	explicit_bzero(token, sizeof(token));
	if (err)
		close_connection(l);
	return err;
}

/* A number of ms of the environment, within its limits. */
static int ms_of(const char *name, int ms, int max)
{
	const char *text = getenv(name);

	if (text && *text)
		ms = atoi(text);
	return ms < 0 ? 0 : ms > max ? max : ms;
}

static int retry_ms(void)
{
	return ms_of("MITOSIS_RDMA_RETRY_MS", RETRY_MS_DEFAULT, RETRY_MS_MAX);
}

/* Once for each reason: it is tried again and again. */
static void tell_why(struct rdma_link *l)
{
	if (!strcmp(l->told, l->why))
		return;
	strcpy(l->told, l->why);
	fprintf(stderr,
		"mitosis: no RDMA to machine %u at %s: %s; its pages come over "
		"TCP\n",
		l->target.machine_id, l->target.place, l->why);
}

static void *run(void *argument)
{
	struct rdma_link *l = argument;
	int err = set_up(l);
	bool never = err == -ENODEV && l->target.optional;

	if (!err)
		l->target.counts->links++;
	else if (!never)
		tell_why(l);
	if (!err && *l->told)
		fprintf(stderr,
			"mitosis: RDMA to machine %u at %s is set up again\n",
			l->target.machine_id, l->target.place);
	if (!err)
		*l->told = '\0';
	trace(l->target.trace, TRACE_STEPS, "has set RDMA up",
	      TRACE_NUMBER("status", -err));
	l->retry_ns = never ? INT64_MAX : now_ns() + retry_ms() * 1000000ll;
	l->state = err ? LINK_ENDED : LINK_READY;
	return NULL;
}

/* LINK_STARTS; LINK_ENDED if there can be no thread. */
static void start(struct rdma_link *l)
{
	pthread_t thread;

	l->state = LINK_STARTS;
	if (!pthread_create(&thread, NULL, run, l)) {
		pthread_detach(thread);
		return;
	}
	l->retry_ns = now_ns() + retry_ms() * 1000000ll;
	l->state = LINK_ENDED;
}

void rdma_link_refresh(struct rdma_link *l)
{
	if (!l || l->state != LINK_ENDED || now_ns() < l->retry_ns)
		return;
	l->asked = l->received = 0;
	start(l);
}

struct rdma_link *rdma_link_start(const struct rdma_link_target *target)
{
	struct rdma_link *l = calloc(1, sizeof(*l));
	int64_t until_ns =
		now_ns() + ms_of("MITOSIS_RDMA_WAIT_MS", 0, WAIT_MS_MAX) * 1000000ll;

	if (!l)
		return NULL;
	l->target = *target;
	l->page_size = sysconf(_SC_PAGESIZE);
	start(l);
	while (l->state == LINK_STARTS && now_ns() < until_ns)
		usleep(1000);
	return l;
}

uint64_t rdma_link_request_max(const struct rdma_link *l)
{
	return l && l->state == LINK_READY ? l->pages_max * l->page_size : 0;
}

/* The device does not write the memory any more when this returns. */
static int end(struct rdma_link *l, const char *why, int err)
{
	fprintf(stderr,
		"mitosis: RDMA to machine %u at %s has ended: %s; its pages come "
		"over "
		"TCP\n",
		l->target.machine_id, l->target.place, why);
	trace(l->target.trace, TRACE_STEPS, "RDMA has ended",
	      TRACE_TEXT("why", why));
	snprintf(l->told, sizeof(l->told), "%s", why);
	close_connection(l);
	l->retry_ns = now_ns() + retry_ms() * 1000000ll;
	l->state = LINK_ENDED;
	return err;
}

int rdma_link_ask(struct rdma_link *l, uint64_t address, uint64_t length)
{
	const struct wire_rdma_request request = {
		.header = wire_header(WIRE_PAGES, 0, sizeof(request.pages)),
		.pages = { .address = address, .length = length },
	};
	size_t at = request_offset(l, l->asked);
	int err;

	memcpy(l->queues.memory + at, &request, sizeof(request));
	err = rdma_post_receive(l->id, &l->queues, answer_offset(l, l->asked),
				l->pages_max * l->page_size, l->asked);
	if (!err)
		err = rdma_post_send(l->id, &l->queues, at, sizeof(request), SENT);
	if (err)
		return end(l, "a request cannot be posted", err);
	l->asked++;
	return 0;
}

/* Waits until the device, or the connection manager, has something to say. */
static int wait_for_event(struct rdma_link *l, int64_t until_ns)
{
	struct pollfd p[] = {
		{ l->queues.events->fd, POLLIN, 0 },
		{ l->events->fd, POLLIN, 0 },
	};
	int64_t left_ms = (until_ns - now_ns()) / 1000000;

	if (left_ms <= 0 || poll_within(p, 2, left_ms) <= 0)
		return -ETIMEDOUT;
	return p[1].revents ? -ECONNRESET : 0;
}

/* Takes the next completion. Returns 0 or -errno. */
static int next_completion(struct rdma_link *l, struct ibv_wc *wc, int64_t until_ns)
{
	int64_t spin_until_ns = now_ns() + SPIN_NS;
	int n, err;

	do {
		n = ibv_poll_cq(l->queues.cq, 1, wc);
	} while (!n && now_ns() < spin_until_ns);
	while (!n) {
		err = rdma_queues_rearm(&l->libraries, &l->queues);
		if (err)
			return err;
		/* What came before it was armed raises no event. */
		n = ibv_poll_cq(l->queues.cq, 1, wc);
		if (n)
			break;
		err = wait_for_event(l, until_ns);
		if (err)
			return err;
		n = ibv_poll_cq(l->queues.cq, 1, wc);
	}
	return n < 0 ? -EIO : 0;
}

int rdma_link_receive(struct rdma_link *l, uint64_t length, const void **bytes)
{
	int64_t until_ns = now_ns() + request_ms() * 1000000ll;
	struct ibv_wc wc;
	int err;

	/* It may have ended in a request after this one. */
	if (l->state != LINK_READY)
		return -ECONNRESET;
	do {
		err = next_completion(l, &wc, until_ns);
		if (err == -ETIMEDOUT)
			return end(l, "an answer is late", err);
		if (err)
			return end(l, "the other end has closed it", err);
		if (wc.status != IBV_WC_SUCCESS)
			return end(l, l->libraries.wc_status_str(wc.status), -EIO);
	} while (wc.wr_id & SENT);
	if ((uint32_t)wc.wr_id != l->received)
		return end(l, "an answer out of turn", -EPROTO);
	*bytes = l->queues.memory + answer_offset(l, l->received++);
	if (!wc.byte_len)
		return -EFAULT;
	return wc.byte_len == length
		       ? 0
		       : end(l, "an answer of another length", -EMSGSIZE);
}
#endif /* MITOSIS_RDMA */
