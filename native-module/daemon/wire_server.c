// SPDX-License-Identifier: Apache-2.0
#define _GNU_SOURCE
#include "daemon/wire_server.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "daemon/porter.h"
#include "daemon/snapshots.h"
#include "daemon/wire_client.h"
#include "daemon/wire_places.h"
#include "daemon/wire_replica.h"
#include "local/address.h"
#include "local/channel.h"

/* How long a shadow or the porter may take: who asks gives its own mitosisd more. */
#define HAND_OVER_MS_MAX (CHANNEL_DEADLINE_MS - 1000)
/* Interval of the retries while a shadow has not registered yet, in ms. */
#define RETRY_MS 1

int wire_listen(struct local_address *address)
{
	struct sockaddr_in6 where;
	socklen_t size = sizeof(where);
	int one = 1, err;
	int fd = socket(AF_INET6, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	if (fd < 0)
		return -errno;
	local_address_to_socket(address, &where);
	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
	if (bind(fd, (struct sockaddr *)&where, sizeof(where)) ||
	    listen(fd, SOMAXCONN) ||
	    getsockname(fd, (struct sockaddr *)&where, &size)) {
		err = -errno;
		close(fd);
		return err;
	}
	address->port = ntohs(where.sin6_port);
	return fd;
}

void wire_client_drop(struct daemon *daemon, struct wire_client *client)
{
	loop_close(&daemon->loop, client->fd);
	client->fd = -1;
	sealing_destroy(client->sealing);
	client->sealing = NULL;
	daemon->wire_client_count--;
}

void wire_client_reply(struct daemon *daemon, struct wire_client *client,
		       enum wire_type type, int status, const void *body,
		       size_t size)
{
	char text[sizeof(struct wire_header) + WIRE_BODY_MAX];
	char sealed[RECORD_EXTRA + sizeof(text)];
	struct wire_header header = wire_header(type, status, size);
	const char *bytes = text;

	memcpy(text, &header, sizeof(header));
	if (size)
		memcpy(text + sizeof(header), body, size);
	size += sizeof(header);
	if (client->sealing) {
		record_seal(&client->sealing->out, text, size, sealed);
		bytes = sealed;
		size += RECORD_EXTRA;
	}
	if (send(client->fd, bytes, size, MSG_NOSIGNAL) != (ssize_t)size)
		wire_client_drop(daemon, client);
}

static void serve_hello(struct daemon *daemon, struct wire_client *client)
{
	struct handshake *shake = &client->shake;
	int err = 0;

	memcpy(&shake->hello, client->message.body, sizeof(shake->hello));
	if (daemon->auth.protection == WIRE_PROTECTION_SEALED)
		err = auth_bind(shake, client->fd, false);
	if (!err)
		err = auth_challenge(&daemon->auth, shake);
	/* A client of another protection is told which one it should have. */
	if (err && err != -EPROTOTYPE)
		wire_client_reply(daemon, client, WIRE_CHALLENGE, err, NULL, 0);
	else
		wire_client_reply(daemon, client, WIRE_CHALLENGE, 0,
				  &shake->challenge, sizeof(shake->challenge));
	client->state = EXPECTS_PROOF;
	if (err && client->fd >= 0)
		wire_client_drop(daemon, client);
}

static struct sealing *make_sealing(const struct daemon *daemon,
				    const struct wire_client *client)
{
	struct wire_secrets secrets;
	struct sealing *sealing;

	auth_secrets(&daemon->auth, &client->shake, &secrets);
	sealing = sealing_create(&secrets, false);
	explicit_bzero(&secrets, sizeof(secrets));
	return sealing;
}

static void serve_proof(struct daemon *daemon, struct wire_client *client)
{
	struct sealing *sealing = NULL;
	struct wire_proof proof;
	int err;

	memcpy(&proof, client->message.body, sizeof(proof));
	err = auth_check(&daemon->auth, &client->shake, &proof);
	if (!err)
		err = wire_places_check(daemon, client);
	if (!err && daemon->auth.protection == WIRE_PROTECTION_SEALED) {
		sealing = make_sealing(daemon, client);
		err = sealing ? 0 : -ENOMEM;
	}
	/* This answer still belongs to the handshake. */
	wire_client_reply(daemon, client, WIRE_ANSWER, err, NULL, 0);
	client->state = EXPECTS_REQUEST;
	client->deadline_ms = INT64_MAX;
	if (client->fd >= 0)
		client->sealing = sealing;
	else
		sealing_destroy(sealing);
	if (err && client->fd >= 0)
		wire_client_drop(daemon, client);
}

int64_t wire_client_deadline_ms(void)
{
	int most = wire_deadline_ms() * 3 / 4;

	return monotonic_ms() + (most < HAND_OVER_MS_MAX ? most : HAND_OVER_MS_MAX);
}

static int hand_over(struct daemon *daemon, struct wire_client *client,
		     struct peer *pager, const struct local_sealing *sealing)
{
	return pager ? peer_pass_machine(pager, client->fd, sealing)
		     : snapshot_hand_over(daemon, client->handler_id,
					  client->snapshot, client->fd, sealing);
}

int wire_client_hand_over(struct daemon *daemon, struct wire_client *client,
			  struct peer *pager)
{
	const struct sealing *sealing = client->sealing;
	int flags = fcntl(client->fd, F_GETFL);
	struct local_sealing passed;
	int err;

	if (sealing)
		passed = (struct local_sealing){
			.in = sealing->in_secret,
			.out = sealing->out_secret,
			.in_number = sealing->in.number,
			.out_number = sealing->out.number,
			.wide = sealing->out.gcm.wide,
		};
	fcntl(client->fd, F_SETFL, flags & ~O_NONBLOCK);
	err = hand_over(daemon, client, pager, sealing ? &passed : NULL);
	explicit_bzero(&passed, sizeof(passed));
	if (err)
		fcntl(client->fd, F_SETFL, flags);
	else
		wire_client_drop(daemon, client);
	return err;
}

/*
 * Tells the rights, once: a shadow that is busy gets the connection later. No other one gets it, to
 * which the handler id may lead by then.
 */
static int tell_rights(struct daemon *daemon, struct wire_client *client)
{
	struct wire_rights rights;
	int err;

	if (client->snapshot)
		return 0;
	err = snapshot_rights(daemon, client->handler_id, &rights);
	/* -EPERM would be about the client. */
	if (err)
		return err == -EPERM ? -ESRCH : err;
	client->snapshot = rights.snapshot;
	wire_client_reply(daemon, client, WIRE_RIGHTS, 0, &rights, sizeof(rights));
	return 0;
}

static void try_open(struct daemon *daemon, struct wire_client *client)
{
	int err = tell_rights(daemon, client);

	if (client->fd < 0)
		return;
	if (!err)
		err = wire_client_hand_over(daemon, client, NULL);
	if (!err)
		return;
	if (err == -EAGAIN && monotonic_ms() < client->deadline_ms) {
		client->state = WAITS_FOR_ITS_SHADOW;
		return;
	}
	client->state = EXPECTS_REQUEST;
	client->deadline_ms = INT64_MAX;
	/* It may ask again. */
	wire_client_reply(daemon, client, WIRE_ANSWER,
			  err == -EAGAIN ? -ETIMEDOUT : err, NULL, 0);
}

static void serve_open(struct daemon *daemon, struct wire_client *client)
{
	struct wire_open request;

	memcpy(&request, client->message.body, sizeof(request));
	client->handler_id = request.handler_id;
	client->snapshot = 0;
	client->deadline_ms = wire_client_deadline_ms();
	try_open(daemon, client);
}

/* The client's session tells where this machine is: its RDMA devices may be elsewhere. */
static int own_address(const struct wire_client *client, uint16_t port,
		       struct wire_rdma_address *address)
{
	struct sockaddr_in6 own;
	socklen_t size = sizeof(own);

	if (getsockname(client->fd, (struct sockaddr *)&own, &size))
		return -errno;
	*address = (struct wire_rdma_address){ .port = port };
	memcpy(address->ip, &own.sin6_addr, sizeof(address->ip));
	return 0;
}

static void answer_rdma(struct daemon *daemon, struct wire_client *client,
			int status, uint16_t port)
{
	struct {
		struct wire_rdma_answer answer;
		struct wire_rdma_address address;
	} body = {
		.answer = {
			.pages_max = client->rdma.pages_max,
			.depth = client->rdma.depth,
			.count = 1,
		},
	};

	client->state = EXPECTS_REQUEST;
	client->deadline_ms = INT64_MAX;
	client->grant = 0;
	if (loop_watch(&daemon->loop, client->fd, &client->source)) {
		wire_client_drop(daemon, client);
		return;
	}
	if (!status)
		status = own_address(client, port, &body.address);
	wire_client_reply(daemon, client, WIRE_ANSWER, status, status ? NULL : &body,
			  status ? 0 : sizeof(body));
}

static void granted(struct daemon *daemon, uint32_t grant, int status, uint16_t port)
{
	struct wire_client *c;

	for (c = daemon->wire_clients; c; c = c->next)
		if (c->fd >= 0 && c->state == WAITS_FOR_PORTER &&
		    (!grant || c->grant == grant))
			answer_rdma(daemon, c, status, port);
}

static uint32_t at_most(uint32_t value, uint32_t limit)
{
	return value < limit ? value : limit;
}

static void serve_rdma(struct daemon *daemon, struct wire_client *client)
{
	struct wire_rdma *r = &client->rdma;
	struct local_grant grant;
	int err = 0;

	memcpy(r, client->message.body, sizeof(*r));
	r->pages_max = at_most(r->pages_max, PORTER_PAGES_MAX);
	r->depth = at_most(r->depth, PORTER_DEPTH_MAX);
	grant.pages_max = r->pages_max;
	grant.depth = r->depth;
	if (!r->pages_max || !r->depth)
		err = -EINVAL;
	/* Nothing would protect the pages, or who asks for them. */
	else if (daemon->auth.protection != WIRE_PROTECTION_HANDSHAKE)
		err = -EPROTOTYPE;
	if (!err)
		err = auth_rdma_token(&daemon->auth, &client->shake, r->handler_id,
				      grant.token);
	if (!err)
		err = porter_grant(daemon, r->handler_id, r->snapshot, &grant,
				   granted, &client->grant);
	explicit_bzero(&grant, sizeof(grant));
	if (err) {
		wire_client_reply(daemon, client, WIRE_ANSWER, err, NULL, 0);
		return;
	}
	client->state = WAITS_FOR_PORTER;
	client->deadline_ms = wire_client_deadline_ms();
	/* It is not read until then: an end of the connection would be told for ever. */
	loop_forget(&daemon->loop, client->fd);
}

/* The length that the body must have, or -1 if the message is out of turn. */
static int body_size(const struct wire_client *client)
{
	switch (client->message.header.type) {
	case WIRE_HELLO:
		return client->state == EXPECTS_HELLO
			       ? (int)sizeof(struct wire_hello)
			       : -1;
	case WIRE_PROOF:
		return client->state == EXPECTS_PROOF
			       ? (int)sizeof(struct wire_proof)
			       : -1;
	case WIRE_NIL:
		return client->state == EXPECTS_REQUEST ? 0 : -1;
	case WIRE_OPEN:
		return client->state == EXPECTS_REQUEST
			       ? (int)sizeof(struct wire_open)
			       : -1;
	case WIRE_OPEN_BY_TOKEN:
		return client->state == EXPECTS_REQUEST
			       ? (int)sizeof(struct wire_token)
			       : -1;
	case WIRE_OPEN_REPLICA:
		return client->state == EXPECTS_REQUEST
			       ? (int)sizeof(struct wire_open_replica)
			       : -1;
	case WIRE_RDMA:
		return client->state == EXPECTS_REQUEST
			       ? (int)sizeof(struct wire_rdma)
			       : -1;
	default:
		return -1;
	}
}

/* Returns 0 or -errno. */
static int check_header(const struct wire_client *client)
{
	const struct wire_header *h = &client->message.header;
	int size = body_size(client);

	if (h->magic != WIRE_MAGIC)
		return -EPROTO;
	if (h->version != WIRE_VERSION)
		return -EPROTONOSUPPORT;
	if (h->status || size < 0)
		return -EPROTO;
	return h->length == (uint32_t)size ? 0 : -EMSGSIZE;
}

static void serve_message(struct daemon *daemon, struct wire_client *client)
{
	client->filled = 0;
	switch (client->message.header.type) {
	case WIRE_HELLO:
		serve_hello(daemon, client);
		break;
	case WIRE_PROOF:
		serve_proof(daemon, client);
		break;
	case WIRE_NIL:
		wire_client_reply(daemon, client, WIRE_ANSWER, 0, NULL, 0);
		break;
	case WIRE_OPEN:
		serve_open(daemon, client);
		break;
	case WIRE_OPEN_BY_TOKEN:
		/* Tokens are the module's. To open without a check would give root's away. */
		wire_client_reply(daemon, client, WIRE_ANSWER, -EOPNOTSUPP, NULL, 0);
		break;
	case WIRE_OPEN_REPLICA:
		wire_replica_open(daemon, client);
		break;
	case WIRE_RDMA:
		serve_rdma(daemon, client);
		break;
	}
}

/*
 * Receives up to `want` bytes of what comes next, and no more: what is behind a
 * WIRE_OPEN is for the shadow. Returns 1 when they are all there, 0 if some are
 * still to come, -ECONNRESET at the end of the connection.
 */
static int receive_until(struct wire_client *c, void *bytes, size_t want)
{
	ssize_t n;

	if (c->filled >= want)
		return 1;
	n = recv(c->fd, (char *)bytes + c->filled, want - c->filled, 0);
	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return 0;
	if (n <= 0)
		return -ECONNRESET;
	c->filled += n;
	return c->filled == want ? 1 : 0;
}

/* Returns 1 when `message` is whole, 0 if it is not yet, or -errno. */
static int receive_message(struct wire_client *c)
{
	size_t header = sizeof(c->message.header);
	int got = 1;

	if (c->filled < header) {
		got = receive_until(c, &c->message, header);
		if (got == 1)
			got = check_header(c) ?: 1;
	}
	if (got != 1)
		return got;
	return receive_until(c, &c->message, header + c->message.header.length);
}

/* The same of the record that a message comes in. */
static int receive_record(struct wire_client *c)
{
	struct sealing *s = c->sealing;
	size_t header = sizeof(c->message.header);
	int got = receive_until(c, s->message, sizeof(struct wire_record));
	int size;

	if (got != 1)
		return got;
	size = sealing_message_size(s);
	if (size < 0)
		return size;
	got = receive_until(c, s->message, size);
	if (got != 1)
		return got;
	size = sealing_open_message(s, (uint8_t *)&c->message);
	if (size < 0)
		return size;
	if ((size_t)size < header)
		return -EMSGSIZE;
	got = check_header(c);
	if (!got && (size_t)size != header + c->message.header.length)
		got = -EMSGSIZE;
	return got ? got : 1;
}

static void client_ready(struct daemon *daemon, struct event_source *source)
{
	struct wire_client *c = (struct wire_client *)source;
	int got;

	while (c->fd >= 0 && c->state <= EXPECTS_REQUEST) {
		got = c->sealing ? receive_record(c) : receive_message(c);
		if (got == 0)
			return;
		if (got == 1) {
			serve_message(daemon, c);
			continue;
		}
		trace(&daemon->trace, TRACE_STEPS, "ends another machine's session",
		      TRACE_NUMBER("sealed", c->sealing != NULL),
		      TRACE_NUMBER("status", -got));
		/* A machine with a newer release needs the reason. */
		if (got != -ECONNRESET)
			wire_client_reply(daemon, c,
					  c->state == EXPECTS_HELLO ? WIRE_CHALLENGE
								    : WIRE_ANSWER,
					  got, NULL, 0);
		if (c->fd >= 0)
			wire_client_drop(daemon, c);
	}
}

/*
 * A machine that loses its power or its network closes no connection. Without these
 * options its server would wait for hours, with or without data in flight.
 */
static void notice_dead_peer(int fd)
{
	int one = 1, idle_s = MITOSIS_DEADLINE_MS_DEFAULT / 2000, interval_s = 1,
	    probes = 5;
	unsigned int unanswered_ms = MITOSIS_DEADLINE_MS_DEFAULT;

	setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &one, sizeof(one));
	setsockopt(fd, IPPROTO_TCP, TCP_KEEPIDLE, &idle_s, sizeof(idle_s));
	setsockopt(fd, IPPROTO_TCP, TCP_KEEPINTVL, &interval_s, sizeof(interval_s));
	setsockopt(fd, IPPROTO_TCP, TCP_KEEPCNT, &probes, sizeof(probes));
	setsockopt(fd, IPPROTO_TCP, TCP_USER_TIMEOUT, &unanswered_ms,
		   sizeof(unanswered_ms));
}

void wire_accept(struct daemon *daemon, int fd)
{
	struct wire_client *client = NULL;
	struct sockaddr_in6 address;
	socklen_t size = sizeof(address);
	int one = 1;

	if (!getpeername(fd, (struct sockaddr *)&address, &size) &&
	    wire_places_make(daemon))
		client = calloc(1, sizeof(*client));
	if (!client) {
		close(fd);
		return;
	}
	client->machine = address.sin6_addr;
	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
	notice_dead_peer(fd);
	client->source.ready = client_ready;
	client->fd = fd;
	client->deadline_ms = monotonic_ms() + MITOSIS_DEADLINE_MS_DEFAULT;
	if (loop_watch(&daemon->loop, fd, &client->source)) {
		close(fd);
		free(client);
		return;
	}
	client->next = daemon->wire_clients;
	daemon->wire_clients = client;
	daemon->wire_client_count++;
}

int wire_expire(struct daemon *daemon)
{
	struct wire_client **link = &daemon->wire_clients;
	int64_t now = monotonic_ms(), next = INT64_MAX;

	while (*link) {
		struct wire_client *c = *link;

		if (c->fd >= 0 && c->state == WAITS_FOR_ITS_SHADOW) {
			try_open(daemon, c);
			if (c->fd >= 0 && c->state == EXPECTS_REQUEST)
				client_ready(daemon, &c->source);
			else if (c->fd >= 0)
				next = now + RETRY_MS;
		}
		if (c->fd >= 0 && c->deadline_ms <= now) {
			if (c->state == WAITS_FOR_PORTER)
				answer_rdma(daemon, c, -ETIMEDOUT, 0);
			else if (c->state == WAITS_FOR_ITS_PAGER)
				wire_replica_refuse(daemon, c, -ETIMEDOUT);
			else
				wire_client_drop(daemon, c);
		}
		if (c->fd < 0) {
			*link = c->next;
			free(c);
			continue;
		}
		if (c->deadline_ms < next)
			next = c->deadline_ms;
		link = &c->next;
	}
	return next == INT64_MAX ? -1 : (int)(next - now);
}
