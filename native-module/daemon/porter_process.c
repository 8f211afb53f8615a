// SPDX-License-Identifier: Apache-2.0
#define _GNU_SOURCE
#include "daemon/porter_process.h"

#ifndef MITOSIS_RDMA
#include <unistd.h>

bool porter_is_built(void)
{
	return false;
}

void porter_run(int channel)
{
	(void)channel;
	_exit(1);
}
#else
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "daemon/loop.h"
#include "daemon/porter_client.h"
#include "local/channel.h"
#include "local/passed_fds.h"
#include "local/protocol.h"
#include "paging/trace.h"
#include "proto/user/sha256.h"

#define CHANNEL	    3
#define CLIENTS_MAX 64u
#define GRANTS_MAX  64u
/* Without clients it lets go of the device after this time, ms. */
#define IDLE_MS	    30000
/* A shadow answers at once, unless it is stopped. */
#define SHADOW_MS   2000

enum grant_state {
	GRANT_FREE,
	GRANT_NEEDS_MEMORY, /* which its shadow sends */
	GRANT_READY,	    /* waits for who has the token */
};

struct pending_grant {
	enum grant_state state;
	struct local_grant grant;
	struct porter_snapshot snapshot;
	uint32_t number, handler_id;
	int shadow; /* GRANT_NEEDS_MEMORY: where that sends it */
	int64_t deadline_ms;
};

struct porter {
	struct rdma_libraries libraries;
	struct rdma_event_channel *events;
	uint16_t port;
	uint64_t page_size;
	struct trace trace;
	struct pending_grant grants[GRANTS_MAX];
	struct porter_client clients[CLIENTS_MAX];
	int64_t used_ms;
};

bool porter_is_built(void)
{
	return true;
}

static void __attribute__((noreturn))
end_without_rdma(const char *what, const char *reason)
{
	fprintf(stderr,
		"mitosisd: no RDMA on this machine: %s%s; see docs/rdma.md\n", what,
		reason);
	_exit(1);
}

static void answer_daemon(const struct porter *p, uint32_t number, int status)
{
	struct local_message m = channel_message(LOCAL_ANSWER);

	m.device = number;
	m.status = status;
	m.address.port = p->port;
	if (channel_send(CHANNEL, &m, -1))
		_exit(0);
}

static void free_grant(struct pending_grant *g)
{
	explicit_bzero(&g->grant, sizeof(g->grant));
	g->state = GRANT_FREE;
}

static void forget_grant(struct pending_grant *g)
{
	if (g->state == GRANT_NEEDS_MEMORY)
		close(g->shadow);
	if (g->state == GRANT_READY) {
		close(g->snapshot.memory);
		free(g->snapshot.descriptor);
	}
	free_grant(g);
}

/* Takes a packet of struct local_message and struct local_grant, with a stream. */
static int receive_grant(struct local_message *m, struct local_grant *grant, int *fd)
{
	union {
		struct cmsghdr header;
		char bytes[PASSED_FDS_SPACE(1)];
	} control;
	struct iovec parts[] = {
		{ m, sizeof(*m) },
		{ grant, sizeof(*grant) },
	};
	struct msghdr msg = {
		.msg_iov = parts,
		.msg_iovlen = 2,
		.msg_control = control.bytes,
		.msg_controllen = sizeof(control),
	};
	uint32_t count;
	ssize_t n;

	*fd = -1;
	do {
		n = recvmsg(CHANNEL, &msg, MSG_CMSG_CLOEXEC);
	} while (n < 0 && errno == EINTR);
	if (n <= 0)
		return -ECONNRESET;
	if (passed_fds_take(&msg, fd, 1, &count, NULL) || count != 1)
		return -EMFILE;
	return n == (ssize_t)(sizeof(*m) + sizeof(*grant)) && m->type == LOCAL_GRANT
		       ? 0
		       : -EPROTO;
}

static void take_grant(struct porter *p)
{
	struct pending_grant *g = p->grants, *end = p->grants + GRANTS_MAX;
	struct local_message m = { 0 };
	struct local_grant grant;
	int stream, err = receive_grant(&m, &grant, &stream);

	if (err == -ECONNRESET)
		_exit(0);
	while (g < end && g->state != GRANT_FREE)
		g++;
	if (!err && g == end)
		err = -EBUSY;
	if (err) {
		if (stream >= 0)
			close(stream);
		answer_daemon(p, m.device, err);
	} else {
		*g = (struct pending_grant){
			.state = GRANT_NEEDS_MEMORY,
			.grant = grant,
			.number = m.device,
			.handler_id = m.handler_id,
			.shadow = stream,
			.deadline_ms = monotonic_ms() + SHADOW_MS,
		};
	}
	explicit_bzero(&grant, sizeof(grant));
}

/* Reads and checks the descriptor of a snapshot. NULL: it is none. */
static struct descriptor_header *read_descriptor(const struct porter *p, int memory,
						 const struct local_memory *where)
{
	char *bytes;
	uint64_t done = 0;
	ssize_t n = 1;

	if (where->size < sizeof(struct descriptor_header) ||
	    where->size > WIRE_DESCRIPTOR_MAX)
		return NULL;
	bytes = malloc(where->size);
	for (; bytes && done < where->size && n > 0; done += n)
		n = pread(memory, bytes + done, where->size - done,
			  where->descriptor + done);
	if (bytes && n > 0 && !descriptor_check(bytes, where->size, p->page_size))
		return (struct descriptor_header *)bytes;
	free(bytes);
	return NULL;
}

/* The shadow of a grant has sent its memory, or has ended. */
static void take_memory(struct porter *p, struct pending_grant *g)
{
	union {
		struct cmsghdr header;
		char bytes[PASSED_FDS_SPACE(1)];
	} control;
	struct local_memory where;
	struct iovec part = { &where, sizeof(where) };
	struct msghdr msg = {
		.msg_iov = &part,
		.msg_iovlen = 1,
		.msg_control = control.bytes,
		.msg_controllen = sizeof(control),
	};
	uint32_t count, number = g->number;
	int memory = -1;
	ssize_t n = recvmsg(g->shadow, &msg, MSG_CMSG_CLOEXEC | MSG_DONTWAIT);
	struct descriptor_header *d = NULL;

	if (n > 0 && !passed_fds_take(&msg, &memory, 1, &count, NULL) &&
	    memory >= 0 && n == sizeof(where))
		d = read_descriptor(p, memory, &where);
	if (!d) {
		if (memory >= 0)
			close(memory);
		forget_grant(g);
		answer_daemon(p, number, -ENOENT);
		return;
	}
	close(g->shadow);
	g->snapshot = (struct porter_snapshot){ memory, d };
	g->state = GRANT_READY;
	g->deadline_ms = monotonic_ms() + WIRE_RDMA_TOKEN_MS;
	trace(&p->trace, TRACE_STEPS, "expects a machine",
	      TRACE_NUMBER("snapshot", g->handler_id));
	answer_daemon(p, number, 0);
}

static struct pending_grant *find_grant(struct porter *p,
					const struct rdma_conn_param *param)
{
	struct pending_grant *found = NULL;
	int64_t now = monotonic_ms();
	uint32_t i;

	if (param->private_data_len < WIRE_RDMA_TOKEN_SIZE)
		return NULL;
	for (i = 0; i < GRANTS_MAX; i++) {
		struct pending_grant *g = &p->grants[i];

		if (g->state == GRANT_READY && g->deadline_ms > now &&
		    mac_equal(g->grant.token, param->private_data))
			found = g;
	}
	return found;
}

/* A free place; without one, that of the client whose last request is the oldest. */
static struct porter_client *place_for_client(struct porter *p)
{
	struct porter_client *oldest = p->clients;
	uint32_t i;

	for (i = 0; i < CLIENTS_MAX; i++) {
		if (!p->clients[i].id)
			return &p->clients[i];
		if (p->clients[i].used_ms < oldest->used_ms)
			oldest = &p->clients[i];
	}
	porter_client_close(&p->libraries, oldest);
	return oldest;
}

static void refuse(struct porter *p, struct rdma_cm_id *id, const char *why)
{
	trace(&p->trace, TRACE_STEPS, "refuses a machine", TRACE_TEXT("why", why));
	p->libraries.reject(id, NULL, 0);
	p->libraries.destroy_id(id);
}

/* The token is used up, whatever becomes of the connection. */
static void serve_connect(struct porter *p, struct rdma_cm_id *id,
			  struct pending_grant *g)
{
	struct porter_client *c;
	int err;

	if (!g) {
		refuse(p, id, "no such token");
		return;
	}
	c = place_for_client(p);
	*c = (struct porter_client){
		.snapshot = g->snapshot,
		.page_size = p->page_size,
		.pages_max = g->grant.pages_max,
		.used_ms = monotonic_ms(),
	};
	err = porter_client_accept(&p->libraries, c, id, g->grant.depth);
	if (err) {
		refuse(p, id, strerror(-err));
		forget_grant(g);
		return;
	}
	id->context = c;
	trace(&p->trace, TRACE_STEPS, "accepts a machine",
	      TRACE_NUMBER("snapshot", g->handler_id));
	free_grant(g);
}

static void close_client(struct porter *p, struct porter_client *c, const char *why)
{
	trace(&p->trace, TRACE_STEPS, "a machine has gone", TRACE_TEXT("why", why),
	      TRACE_NUMBER("served", c->served),
	      TRACE_NUMBER("refused", c->refused));
	porter_client_close(&p->libraries, c);
}

static void serve_event(struct porter *p, struct rdma_cm_event *event)
{
	enum rdma_cm_event_type type = event->event;
	struct rdma_cm_id *id = event->id;
	struct porter_client *c = id->context;
	struct pending_grant *g = NULL;

	if (type == RDMA_CM_EVENT_CONNECT_REQUEST)
		g = find_grant(p, &event->param.conn);
	/* An id can be destroyed once its events have been acknowledged. */
	p->libraries.ack_cm_event(event);
	if (type == RDMA_CM_EVENT_CONNECT_REQUEST)
		serve_connect(p, id, g);
	else if (!c && type == RDMA_CM_EVENT_DEVICE_REMOVAL)
		_exit(0);
	else if (c && type == RDMA_CM_EVENT_ESTABLISHED &&
		 !rdma_queues_close_memory(&p->libraries, id))
		c->established = true;
	else if (c && type != RDMA_CM_EVENT_TIMEWAIT_EXIT)
		close_client(p, c, p->libraries.event_str(type));
}

static void serve_events(struct porter *p)
{
	struct rdma_cm_event *event;

	while (!p->libraries.get_cm_event(p->events, &event))
		serve_event(p, event);
}

/* Ends what is late. Returns the ms until the next check. */
static int expire(struct porter *p)
{
	int64_t now = monotonic_ms();
	bool used = false;
	uint32_t i;

	for (i = 0; i < GRANTS_MAX; i++) {
		struct pending_grant *g = &p->grants[i];
		bool unanswered = g->state == GRANT_NEEDS_MEMORY;

		if (g->state == GRANT_FREE)
			continue;
		used = true;
		if (g->deadline_ms > now)
			continue;
		forget_grant(g);
		if (unanswered)
			answer_daemon(p, g->number, -ETIMEDOUT);
	}
	for (i = 0; i < CLIENTS_MAX; i++) {
		struct porter_client *c = &p->clients[i];

		used = used || c->id;
		if (c->id && !c->established &&
		    c->used_ms + WIRE_RDMA_TOKEN_MS <= now)
			close_client(p, c, "not established");
	}
	if (used)
		p->used_ms = now;
	if (p->used_ms + IDLE_MS <= now)
		_exit(0);
	return 1000;
}

static void wait_and_serve(struct porter *p)
{
	struct pollfd polls[2 + GRANTS_MAX + CLIENTS_MAX];
	void *owners[2 + GRANTS_MAX + CLIENTS_MAX];
	uint32_t count = 2, first_client, i;
	int timeout_ms = expire(p);

	polls[0] = (struct pollfd){ CHANNEL, POLLIN, 0 };
	polls[1] = (struct pollfd){ p->events->fd, POLLIN, 0 };
	for (i = 0; i < GRANTS_MAX; i++)
		if (p->grants[i].state == GRANT_NEEDS_MEMORY) {
			owners[count] = &p->grants[i];
			polls[count++] =
				(struct pollfd){ p->grants[i].shadow, POLLIN, 0 };
		}
	first_client = count;
	for (i = 0; i < CLIENTS_MAX; i++)
		if (p->clients[i].id) {
			owners[count] = &p->clients[i];
			polls[count++] =
				(struct pollfd){ p->clients[i].queues.events->fd,
						 POLLIN, 0 };
		}
	if (poll(polls, count, timeout_ms) <= 0)
		return;
	for (i = 2; i < count; i++) {
		if (!polls[i].revents)
			continue;
		if (i < first_client) {
			take_memory(p, owners[i]);
			continue;
		}
		((struct porter_client *)owners[i])->used_ms = monotonic_ms();
		if (!porter_client_serve(&p->libraries, owners[i]))
			close_client(p, owners[i], "a request failed");
	}
	/* Last: these add grants and clients, and remove them. */
	if (polls[1].revents)
		serve_events(p);
	if (polls[0].revents)
		take_grant(p);
}

static void listen_for_machines(struct porter *p)
{
	struct sockaddr_in6 any = { .sin6_family = AF_INET6 };
	const struct rdma_libraries *l = &p->libraries;
	struct rdma_cm_id *id;

	p->events = l->create_event_channel();
	if (!p->events ||
	    fcntl(p->events->fd, F_SETFL,
		  fcntl(p->events->fd, F_GETFL) | O_NONBLOCK) ||
	    l->create_id(p->events, &id, NULL, RDMA_PS_TCP) ||
	    l->bind_addr(id, (struct sockaddr *)&any) || l->listen(id, CLIENTS_MAX))
		end_without_rdma("cannot listen: ", strerror(errno));
	p->port = ntohs(l->get_src_port(id));
}

void porter_run(int channel)
{
	static struct porter p;
	char problem[256];
	sigset_t none;

	prctl(PR_SET_NAME, "mitosis-porter", 0, 0, 0);
	dup2(channel, CHANNEL);
	syscall(SYS_close_range, CHANNEL + 1, ~0u, 0);
	fcntl(CHANNEL, F_SETFD, FD_CLOEXEC);
	signal(SIGCHLD, SIG_DFL);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	trace_open_by_environment(&p.trace, "porter", 0);
	p.page_size = sysconf(_SC_PAGESIZE);
	if (rdma_libraries_load(&p.libraries, problem, sizeof(problem)))
		end_without_rdma("", problem);
	listen_for_machines(&p);
	trace(&p.trace, TRACE_STEPS, "listens", TRACE_NUMBER("port", p.port));
	p.used_ms = monotonic_ms();
	for (;;)
		wait_and_serve(&p);
}
#endif /* MITOSIS_RDMA */
