// SPDX-License-Identifier: GPL-2.0
#include "server.h"

#include <linux/kthread.h>
#include <linux/in.h>
#include <linux/in6.h>
#include <linux/list.h>
#include <linux/mm.h>
#include <linux/mutex.h>
#include <linux/net.h>
#include <linux/sched.h>
#include <linux/slab.h>
#include <linux/wait.h>
#include <net/ipv6.h>
#include <net/net_namespace.h>
#include <net/sock.h>

#include "address.h"
#include "auth.h"
#include "compat.h"
#include "link.h"
#include "owner.h"
#include "parameters.h"
#include "rdma_operations.h"
#include "served.h"
#include "shares.h"
#include "snapshot.h"
#include "token.h"

/* Connections that are not authenticated: of all addresses, and of one. */
#define STRANGERS_MAX	      256u
#define STRANGERS_PER_ADDRESS 128u
#define HANDSHAKE_MS	      10000u
/* Poll interval for module unload and late handshakes, ms. */
#define IDLE_STEP_MS 1000u

enum client_state {
	EXPECTS_HELLO,
	EXPECTS_PROOF,
	EXPECTS_REQUEST,
	HAS_SNAPSHOT,
};

struct client {
	struct task_struct *thread;
	struct list_head node; /* in clients, in ended, or in none: its place is another's */
	struct link *link;
	struct sockaddr_storage address;
	enum client_state state;
	unsigned long deadline; /* of the handshake, in jiffies */
	struct handshake handshake;
	struct served served; /* HAS_SNAPSHOT */
	u32 owner;	      /* in whose share of `owners` it is */
};

/*
 * Connections to the snapshots of each user. What a snapshot's pages are read from can keep the
 * thread of a connection for ever: a file system that a program of the owner's serves, say.
 */
static DEFINE_SHARES(owners);

static struct socket *listener;
static struct task_struct *acceptor;
static LIST_HEAD(clients); /* the newest first */
static LIST_HEAD(ended);   /* their threads wait to be stopped */
static DECLARE_WAIT_QUEUE_HEAD(end_of_client);
static unsigned int client_threads; /* all that have been started and not stopped */
static bool stopping;
static DEFINE_MUTEX(clients_lock);

static int answer(struct client *c, enum wire_type type, int status, void *body, size_t size)
{
	return mitosis_link_send(c->link, type, status, body, size);
}

static int serve_hello(struct client *c)
{
	int err = mitosis_auth_challenge(&c->handshake, c->link->socket);
	int sent;

	if (err && err != -EPROTOTYPE) {
		answer(c, WIRE_CHALLENGE, err, NULL, 0);
		return err;
	}
	c->state = EXPECTS_PROOF;
	sent = answer(c, WIRE_CHALLENGE, 0, &c->handshake.challenge,
		      sizeof(c->handshake.challenge));
	return err ?: sent;
}

static bool same_host(const struct sockaddr_storage *a, const struct sockaddr_storage *b)
{
	if (a->ss_family != b->ss_family || a->ss_family == AF_UNSPEC)
		return false;
	return a->ss_family == AF_INET
		       ? ((const struct sockaddr_in *)a)->sin_addr.s_addr ==
				 ((const struct sockaddr_in *)b)->sin_addr.s_addr
		       : ipv6_addr_equal(&((const struct sockaddr_in6 *)a)->sin6_addr,
					 &((const struct sockaddr_in6 *)b)->sin6_addr);
}

/* A client that has proved that it knows the key gets a place, or -EBUSY. */
static int take_place(struct client *c)
{
	unsigned int all = 0, here = 0;
	struct client *other;
	int err = 0;

	mutex_lock(&clients_lock);
	list_for_each_entry(other, &clients, node) {
		if (other->state < EXPECTS_REQUEST)
			continue;
		all++;
		here += same_host(&other->address, &c->address);
	}
	/* Meanwhile its place may have become another stranger's. */
	if (list_empty(&c->node))
		err = -ETIMEDOUT;
	else if (all >= mitosis_connections() || here >= mitosis_connections_per_machine())
		err = -EBUSY;
	else
		c->state = EXPECTS_REQUEST;
	mutex_unlock(&clients_lock);
	if (err == -EBUSY)
		pr_warn_ratelimited("%u connections of other machines, %u of them of %pISc: one "
				    "more is refused\n",
				    all, here, &c->address);
	return err;
}

static int serve_proof(struct client *c, const struct wire_proof *proof)
{
	struct sealing *sealing = NULL;
	int err = mitosis_auth_check(&c->handshake, proof);
	int sent;

	if (!err)
		err = mitosis_link_make_sealing(&c->handshake, false, &sealing);
	if (!err)
		err = take_place(c);
	sent = answer(c, WIRE_ANSWER, err, NULL, 0);
	c->link->sealing = sealing;
	return err ?: sent;
}

/* Takes over the reference to `s`, or answers the error. */
static int open_snapshot(struct client *c, struct snapshot *s, int err)
{
	struct descriptor_header *d;
	struct wire_rights rights;

	if (!err)
		err = mitosis_share_take(&owners, s->payer, 1, mitosis_connections_per_owner());
	if (!err) {
		c->owner = s->payer;
		err = mitosis_snapshot_make_ready(s);
	}
	if (err) {
		mitosis_share_give(&owners, c->owner, 1);
		c->owner = NO_USER;
		mitosis_snapshot_put(s);
		return answer(c, WIRE_ANSWER, err, NULL, 0);
	}
	c->served.snapshot = s;
	c->state = HAS_SNAPSHOT;
	d = s->description.descriptor;
	rights = (struct wire_rights){
		.has = mitosis_owner_rights(&s->parent.owner),
		.snapshot = s->serial,
	};
	err = answer(c, WIRE_RIGHTS, 0, &rights, sizeof(rights));
	return err ?: answer(c, WIRE_ANSWER, 0, d, d->total_size);
}

static int serve_open(struct client *c, const struct wire_open *request)
{
	kuid_t user = make_kuid(&init_user_ns, request->owner_uid);
	struct snapshot *s = mitosis_snapshot_find(mitosis_snapshot_key(user, request->handler_id));

	return open_snapshot(c, s, s ? 0 : -ENOENT);
}

static int serve_open_by_token(struct client *c, const struct wire_token *request)
{
	struct mitosis_token token = {
		.handler_id = request->handler_id,
		.expires_s = request->expires_s,
	};
	struct snapshot *s = NULL;
	int err;

	memcpy(token.secret, request->secret, sizeof(token.secret));
	err = mitosis_token_find(&token, &s, &c->served.grant);
	memzero_explicit(&token, sizeof(token));
	c->served.by_token = !err;
	return open_snapshot(c, s, err);
}

/* With a place of its owner's meanwhile: it may read files that keep it waiting. */
static int make_ready(struct snapshot *s)
{
	int err = mitosis_share_take(&owners, s->payer, 1, mitosis_connections_per_owner());

	if (err)
		return err;
	err = mitosis_snapshot_make_ready(s);
	mitosis_share_give(&owners, s->payer, 1);
	return err;
}

/* Lets the client read a snapshot by RDMA. Returns 0 or -errno. */
static int grant_rdma(struct client *c, const struct rdma_operations *operations,
		      const struct wire_rdma *request, struct rdma_expected *expected)
{
	kuid_t user = make_kuid(&init_user_ns, request->owner_uid);
	int err;

	if (!operations)
		return -ENODEV;
	if (!request->pages_max || !request->depth)
		return -EINVAL;
	expected->pages_max = min(request->pages_max, RDMA_PAGES_MAX);
	expected->depth = min(request->depth, RDMA_DEPTH_MAX);
	err = mitosis_auth_rdma_token(&c->handshake, request->handler_id, expected->token);
	if (err)
		return err;
	err = kernel_getsockname(c->link->socket, (struct sockaddr *)&expected->address);
	if (err < 0)
		return err;
	/* The handler id may be another snapshot's since the client has opened its own. */
	expected->snapshot = mitosis_snapshot_find_serial(
		mitosis_snapshot_key(user, request->handler_id), request->snapshot);
	if (!expected->snapshot)
		return -ENOENT;
	expected->owner = expected->snapshot->payer;
	err = make_ready(expected->snapshot);
	if (!err)
		err = operations->expect(expected);
	if (err)
		mitosis_snapshot_put(expected->snapshot);
	return err;
}

static int serve_rdma(struct client *c, const struct wire_rdma *request)
{
	const struct rdma_operations *operations = mitosis_rdma_get();
	struct rdma_expected expected = {};
	struct {
		struct wire_rdma_answer answer;
		struct wire_rdma_address address;
	} body = {};
	int err = grant_rdma(c, operations, request, &expected);
	u16 port;

	body.answer.pages_max = expected.pages_max;
	body.answer.depth = expected.depth;
	body.answer.count = 1;
	mitosis_address_to_wire(&expected.address, body.address.ip, &port);
	body.address.port = expected.port;
	memzero_explicit(&expected, sizeof(expected));
	mitosis_rdma_put(operations);
	/* Errnos above are kernel-internal. */
	if (err < -EHWPOISON)
		err = -EIO;
	return answer(c, WIRE_ANSWER, err, &body, err ? 0 : sizeof(body));
}

/* The required size of a message's body, or -EPROTO if it may not come now. */
static int body_size(const struct client *c, unsigned int type)
{
	switch (type) {
	case WIRE_HELLO:
		return c->state == EXPECTS_HELLO ? sizeof(struct wire_hello) : -EPROTO;
	case WIRE_PROOF:
		return c->state == EXPECTS_PROOF ? sizeof(struct wire_proof) : -EPROTO;
	case WIRE_NIL:
		return c->state == EXPECTS_REQUEST ? 0 : -EPROTO;
	case WIRE_OPEN:
		return c->state == EXPECTS_REQUEST ? sizeof(struct wire_open) : -EPROTO;
	case WIRE_OPEN_BY_TOKEN:
		return c->state == EXPECTS_REQUEST ? sizeof(struct wire_token) : -EPROTO;
	case WIRE_RDMA:
		return c->state == EXPECTS_REQUEST ? sizeof(struct wire_rdma) : -EPROTO;
	case WIRE_PAGES:
	case WIRE_RUNS:
		return c->state == HAS_SNAPSHOT ? sizeof(struct wire_pages) : -EPROTO;
	default:
		return -EPROTO;
	}
}

/* Returns 0 or -errno. */
static int check_message(const struct client *c, const struct wire_header *header)
{
	int size = body_size(c, header->type);
	int err = mitosis_link_check_header(header);

	if (err)
		return err;
	if (size < 0 || header->status)
		return -EPROTO;
	return header->length == size ? 0 : -EMSGSIZE;
}

static int serve_message(struct client *c, const struct wire_header *header)
{
	union {
		struct wire_proof proof;
		struct wire_open open;
		struct wire_token token;
		struct wire_rdma rdma;
		struct wire_pages pages;
	} body;
	bool hello = header->type == WIRE_HELLO;
	int err = check_message(c, header);

	if (err) {
		/* The errno tells a machine of a newer version the reason. */
		answer(c, c->state == EXPECTS_HELLO ? WIRE_CHALLENGE : WIRE_ANSWER, err, NULL, 0);
		return err;
	}
	err = mitosis_link_receive_body(c->link, hello ? (void *)&c->handshake.hello : &body,
					header->length);
	if (err)
		return err;
	switch (header->type) {
	case WIRE_HELLO:
		return serve_hello(c);
	case WIRE_PROOF:
		return serve_proof(c, &body.proof);
	case WIRE_NIL:
		return answer(c, WIRE_ANSWER, 0, NULL, 0);
	case WIRE_OPEN:
		return serve_open(c, &body.open);
	case WIRE_OPEN_BY_TOKEN:
		return serve_open_by_token(c, &body.token);
	case WIRE_RDMA:
		return serve_rdma(c, &body.rdma);
	case WIRE_RUNS:
		return mitosis_served_runs(&c->served, c->link, &body.pages);
	default:
		return mitosis_served_pages(&c->served, c->link, &body.pages);
	}
}

static bool is_late(const struct client *c)
{
	return c->state < EXPECTS_REQUEST && time_after(jiffies, c->deadline);
}

/* What the thread of a client does. Its end is told; it then waits to be stopped. */
static int serve(void *argument)
{
	struct client *c = argument;
	struct wire_header header;
	int err;

	do {
		err = mitosis_link_receive_header(c->link, &header, IDLE_STEP_MS);
		if (mitosis_link_is_refused(c->link, err))
			answer(c, WIRE_ANSWER, err, NULL, 0);
		if (err == -EAGAIN)
			err = READ_ONCE(stopping) || is_late(c) ? -ETIMEDOUT : 0;
		else if (!err)
			err = serve_message(c, &header);
	} while (!err);

	mutex_lock(&clients_lock);
	list_del_init(&c->node);
	mutex_unlock(&clients_lock);
	mitosis_link_close(c->link);
	mitosis_served_close(&c->served);
	mitosis_share_give(&owners, c->owner, 1);

	mutex_lock(&clients_lock);
	list_add(&c->node, &ended);
	mutex_unlock(&clients_lock);
	wake_up(&end_of_client);
	set_current_state(TASK_IDLE);
	while (!kthread_should_stop()) {
		schedule();
		set_current_state(TASK_IDLE);
	}
	__set_current_state(TASK_RUNNING);
	return 0;
}

static void stop_ended(void)
{
	struct client *c, *next;
	LIST_HEAD(some);

	mutex_lock(&clients_lock);
	list_splice_init(&ended, &some);
	mutex_unlock(&clients_lock);
	list_for_each_entry_safe(c, next, &some, node) {
		kthread_stop(c->thread);
		kfree_sensitive(c);
		client_threads--;
	}
}

/*
 * With clients_lock held. A new client takes the place of the oldest one that is not
 * authenticated: of its own address if that has many, of any if there are too many.
 */
static void make_place(const struct sockaddr_storage *address)
{
	struct client *c, *oldest = NULL, *oldest_here = NULL;
	unsigned int strangers = 0, here = 0;

	list_for_each_entry(c, &clients, node) {
		if (c->state >= EXPECTS_REQUEST)
			continue;
		oldest = c;
		strangers++;
		if (same_host(&c->address, address)) {
			oldest_here = c;
			here++;
		}
	}
	if (here >= STRANGERS_PER_ADDRESS)
		oldest = oldest_here;
	else if (strangers < STRANGERS_MAX)
		return;
	mitosis_link_shut(oldest->link);
	list_del_init(&oldest->node);
}

static void add_client(struct socket *socket)
{
	struct client *c = kzalloc(sizeof(*c), GFP_KERNEL);

	if (!c) {
		sock_release(socket);
		return;
	}
	c->link = mitosis_link_accept(socket, mitosis_deadline_ms());
	if (!c->link) {
		kfree(c);
		return;
	}
	c->owner = NO_USER;
	c->deadline = jiffies + msecs_to_jiffies(HANDSHAKE_MS);
	if (kernel_getpeername(socket, (struct sockaddr *)&c->address) < 0)
		c->address.ss_family = AF_UNSPEC;
	c->thread = kthread_create(serve, c, "mitosis_client");
	if (IS_ERR(c->thread)) {
		mitosis_link_close(c->link);
		kfree(c);
		return;
	}
	mutex_lock(&clients_lock);
	make_place(&c->address);
	list_add(&c->node, &clients);
	mutex_unlock(&clients_lock);
	client_threads++;
	wake_up_process(c->thread);
}

static int accept_all(void *unused)
{
	struct socket *socket;
	int err;

	while (!kthread_should_stop()) {
		err = kernel_accept(listener, &socket, 0);
		stop_ended();
		if (!err)
			add_client(socket);
		else if (err != -EAGAIN && !kthread_should_stop())
			schedule_timeout_interruptible(HZ / 10);
	}
	return 0;
}

static int start_listening(const struct sockaddr_storage *address)
{
	int size = address->ss_family == AF_INET ? sizeof(struct sockaddr_in)
						 : sizeof(struct sockaddr_in6);
	int err = sock_create_kern(&init_net, address->ss_family, SOCK_STREAM, IPPROTO_TCP,
				   &listener);

	if (err) {
		listener = NULL;
		return err;
	}
	sock_set_reuseaddr(listener->sk);
	listener->sk->sk_rcvtimeo = msecs_to_jiffies(IDLE_STEP_MS);
	err = kernel_bind(listener, compat_socket_address(address), size);
	return err ?: kernel_listen(listener, SOMAXCONN);
}

int mitosis_server_init(void)
{
	struct machine_address address;
	int err;

	if (!*mitosis_listen)
		return 0;
	err = mitosis_address_parse(&init_net, mitosis_listen, &address);
	if (err || address.rdma) {
		pr_err("the parameter listen must be tcp://address:port, got '%s'\n",
		       mitosis_listen);
		return -EINVAL;
	}
	if (!mitosis_auth_allows(&address.socket)) {
		pr_err("listen must be a loopback address with protection=none, got %s: set "
		       "protection=sealed or private_network=1\n",
		       mitosis_listen);
		return -EACCES;
	}
	err = start_listening(&address.socket);
	if (!err) {
		acceptor = kthread_run(accept_all, NULL, "mitosis_server");
		err = PTR_ERR_OR_ZERO(acceptor);
		if (err)
			acceptor = NULL;
	}
	if (err) {
		pr_err("cannot listen at %s: error %d\n", mitosis_listen, err);
		mitosis_server_exit();
	}
	return err;
}

void mitosis_server_exit(void)
{
	struct client *c;

	if (acceptor) {
		kernel_sock_shutdown(listener, SHUT_RDWR);
		kthread_stop(acceptor);
	}
	if (listener)
		sock_release(listener);
	mutex_lock(&clients_lock);
	stopping = true;
	list_for_each_entry(c, &clients, node)
		mitosis_link_shut(c->link);
	mutex_unlock(&clients_lock);
	while (client_threads) {
		wait_event(end_of_client, !list_empty_careful(&ended));
		stop_ended();
	}
}
