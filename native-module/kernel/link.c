// SPDX-License-Identifier: GPL-2.0
#include "link.h"

#include <linux/err.h>
#include <linux/net.h>
#include <linux/slab.h>
#include <linux/string.h>
#include <linux/tcp.h>
#include <net/net_namespace.h>
#include <net/sock.h>
#include <net/tcp.h>

#include "auth.h"
#include "compat.h"
#include "sealing.h"
#include "shares.h"
#include "transport.h"
#include "uapi/mitosis.h"

DEFINE_SHARES(mitosis_links);

/*
 * A machine that loses its power or its network closes no connection. Without these its server
 * would keep a place, and the memory of a snapshot that was dropped, for hours.
 */
static void notice_dead_peer(struct sock *sk)
{
	tcp_sock_set_keepidle(sk, MITOSIS_DEADLINE_MS_DEFAULT / 2000);
	tcp_sock_set_keepintvl(sk, 1);
	tcp_sock_set_keepcnt(sk, 5);
	tcp_sock_set_user_timeout(sk, MITOSIS_DEADLINE_MS_DEFAULT);
}

static struct link *new_link(struct socket *socket, unsigned int deadline_ms)
{
	struct link *link = kzalloc(sizeof(*link), GFP_KERNEL_ACCOUNT);

	if (!link) {
		sock_release(socket);
		return NULL;
	}
	link->socket = socket;
	link->deadline_ms = deadline_ms;
	link->user = NO_USER;
	tcp_sock_set_nodelay(socket->sk);
	sock_set_keepalive(socket->sk);
	socket->sk->sk_sndtimeo = mitosis_transport_timeout(deadline_ms);
	return link;
}

struct link *mitosis_link_accept(struct socket *socket, unsigned int deadline_ms)
{
	struct link *link = new_link(socket, deadline_ms);

	if (link)
		notice_dead_peer(socket->sk);
	return link;
}

void mitosis_link_close(struct link *link)
{
	if (!link)
		return;
	sock_release(link->socket);
	mitosis_sealing_destroy(link->sealing);
	mitosis_share_give(&mitosis_links, link->user, 1);
	kfree(link);
}

void mitosis_link_shut(struct link *link)
{
	kernel_sock_shutdown(link->socket, SHUT_RDWR);
}

int mitosis_link_fail(struct link *link, int err)
{
	if (!link->failure)
		link->failure = err;
	return link->failure;
}

int mitosis_link_send(struct link *link, enum wire_type type, int status, void *body, size_t size)
{
	struct wire_header header = {
		.magic = WIRE_MAGIC,
		.version = WIRE_VERSION,
		.type = type,
		.status = status,
		.length = size,
	};
	struct kvec parts[] = { { &header, sizeof(header) }, { body, size } };
	size_t count = size ? 2 : 1;
	int err;

	size += sizeof(header);
	err = link->sealing ? mitosis_sealing_send(link->sealing, link->socket, parts, size)
			    : mitosis_transport_send(link->socket, parts, count, size, false);
	return err ? mitosis_link_fail(link, err) : 0;
}

int mitosis_link_send_body(struct link *link, enum wire_type type, void *body, size_t size)
{
	return link->failure ?: mitosis_link_send(link, type, 0, body, size);
}

/* -EAGAIN: no byte has come within `ms`, and one may still come. */
static int receive(struct link *link, struct kvec *parts, size_t count, size_t size,
		   unsigned int ms)
{
	int err = link->failure;

	if (err)
		return err;
	err = link->sealing ? mitosis_sealing_receive(link->sealing, link->socket, parts, size, ms,
						      link->deadline_ms)
			    : mitosis_transport_receive(link->socket, parts, count, size, ms);
	return err && err != -EAGAIN ? mitosis_link_fail(link, err) : err;
}

/* The same of what must come within `ms`. */
static int require(struct link *link, struct kvec *parts, size_t count, size_t size,
		   unsigned int ms)
{
	int err = mitosis_transport_error(receive(link, parts, count, size, ms));

	return err ? mitosis_link_fail(link, err) : 0;
}

int mitosis_link_receive(struct link *link, struct kvec *parts, size_t count, size_t size)
{
	return require(link, parts, count, size, link->deadline_ms);
}

int mitosis_link_receive_body(struct link *link, void *body, size_t size)
{
	struct kvec part = { body, size };

	return size ? mitosis_link_receive(link, &part, 1, size) : 0;
}

int mitosis_link_receive_header(struct link *link, struct wire_header *header, unsigned int ms)
{
	struct kvec part = { header, sizeof(*header) };

	return receive(link, &part, 1, sizeof(*header), ms);
}

int mitosis_link_check_header(const struct wire_header *header)
{
	if (header->magic != WIRE_MAGIC)
		return -EPROTO;
	return header->version == WIRE_VERSION ? 0 : -EPROTONOSUPPORT;
}

/* Returns 0 with the length of the body, the answer's status, or -errno. */
static int receive_answer(struct link *link, enum wire_type type, u32 *length)
{
	struct wire_header header;
	struct kvec part = { &header, sizeof(header) };
	int err = require(link, &part, 1, sizeof(header), link->deadline_ms);

	*length = 0;
	if (!err)
		err = mitosis_link_check_header(&header);
	if (err)
		return mitosis_link_fail(link, err);
	/*
	 * What was asked for cannot be had: an answer alone says why. Errnos above EHWPOISON are
	 * kernel-internal: system calls must not return them.
	 */
	if (header.type == WIRE_ANSWER && header.status && type == WIRE_RIGHTS)
		header.type = type;
	if (header.type != type || header.status > 0 || header.status < -EHWPOISON ||
	    (header.status && header.length))
		return mitosis_link_fail(link, -EPROTO);
	*length = header.length;
	return header.status;
}

int mitosis_link_receive_answer(struct link *link, u32 *length)
{
	return receive_answer(link, WIRE_ANSWER, length);
}

int mitosis_link_receive_rights(struct link *link, struct wire_rights *rights)
{
	u32 length;
	int err = receive_answer(link, WIRE_RIGHTS, &length);

	if (err)
		return err;
	if (length != sizeof(*rights))
		return mitosis_link_fail(link, -EMSGSIZE);
	err = mitosis_link_receive_body(link, rights, sizeof(*rights));
	if (err)
		return err;
	return rights->has.flags & RIGHTS_KNOWN ? 0 : mitosis_link_fail(link, -EBADMSG);
}

int mitosis_link_receive_empty_answer(struct link *link)
{
	u32 length;
	int err = mitosis_link_receive_answer(link, &length);

	return err ?: length ? mitosis_link_fail(link, -EMSGSIZE) : 0;
}

bool mitosis_link_is_refused(const struct link *link, int err)
{
	return link->sealing && (err == -EPROTO || err == -EMSGSIZE || err == -EALREADY ||
				 err == -EILSEQ || err == -EBADMSG);
}

int mitosis_link_make_sealing(const struct handshake *handshake, bool is_client,
			      struct sealing **out)
{
	struct wire_secrets secrets;
	int err;

	*out = NULL;
	if (!mitosis_auth_seals())
		return 0;
	err = mitosis_auth_secrets(handshake, &secrets);
	if (!err)
		*out = mitosis_sealing_create(&secrets, is_client);
	memzero_explicit(&secrets, sizeof(secrets));
	if (IS_ERR(*out)) {
		err = PTR_ERR(*out);
		*out = NULL;
	}
	return err;
}

/* Exchanges challenge and proof. */
static int prove(struct link *link, struct handshake *h)
{
	struct wire_proof proof;
	u32 length;
	int err = mitosis_link_send_body(link, WIRE_HELLO, &h->hello, sizeof(h->hello));

	if (!err)
		err = receive_answer(link, WIRE_CHALLENGE, &length);
	if (!err && length != sizeof(h->challenge))
		err = -EMSGSIZE;
	if (!err)
		err = mitosis_link_receive_body(link, &h->challenge, sizeof(h->challenge));
	if (!err)
		err = mitosis_auth_prove(h, &proof);
	if (err == -EPROTOTYPE)
		pr_err_ratelimited("machine %u protects its sessions in another way; the module "
				   "speaks to those with MITOSIS_PROTECTION=%s\n",
				   h->challenge.machine_id, mitosis_auth_protection());
	if (!err)
		err = mitosis_link_send_body(link, WIRE_PROOF, &proof, sizeof(proof));
	if (!err)
		err = mitosis_link_receive_empty_answer(link);
	memzero_explicit(&proof, sizeof(proof));
	return err;
}

int mitosis_link_open(struct net *net, const struct sockaddr_storage *address,
		      unsigned int deadline_ms, struct link **out, struct handshake *h)
{
	struct socket *socket;
	struct link *link;
	int err;

	/* Not sock_create_kern(): such a socket does not hold the namespace. */
	err = __sock_create(net, address->ss_family, SOCK_STREAM, IPPROTO_TCP, &socket, 0);
	if (err)
		return err;
	link = new_link(socket, deadline_ms);
	if (!link)
		return -ENOMEM;
	err = mitosis_transport_error(kernel_connect(socket, compat_socket_address(address),
						     address->ss_family == AF_INET
							     ? sizeof(struct sockaddr_in)
							     : sizeof(struct sockaddr_in6),
						     0));
	if (!err)
		err = mitosis_auth_hello(h, socket);
	if (!err)
		err = prove(link, h);
	if (!err)
		err = mitosis_link_make_sealing(h, true, &link->sealing);
	if (err)
		mitosis_link_close(link);
	else
		*out = link;
	return err;
}

int mitosis_link_connect(struct net *net, const struct sockaddr_storage *address,
			 unsigned int deadline_ms, struct link **link, u32 *machine_id)
{
	struct handshake h = {};
	int err = mitosis_link_open(net, address, deadline_ms, link, &h);

	*machine_id = h.challenge.machine_id;
	memzero_explicit(&h, sizeof(h));
	return err;
}
