// SPDX-License-Identifier: GPL-2.0
#include "link.h"

#include <linux/inet.h>
#include <linux/jiffies.h>
#include <linux/net.h>
#include <linux/slab.h>
#include <linux/string.h>
#include <linux/tcp.h>
#include <net/net_namespace.h>
#include <net/sock.h>
#include <net/tcp.h>

#include "auth.h"

/* In jiffies; at least 1, as 0 means to wait for ever. */
static long timeout(unsigned int ms)
{
	return max(msecs_to_jiffies(ms), 1ul);
}

int mitosis_link_parse(const char *text, struct sockaddr_storage *address)
{
	static const char scheme[] = "tcp://";
	char host[INET6_ADDRSTRLEN + 1];
	const char *from, *end, *port;
	u16 number;

	if (strncmp(text, scheme, sizeof(scheme) - 1))
		return -EINVAL;
	from = text + sizeof(scheme) - 1;
	if (*from == '[') {
		end = strchr(++from, ']');
		if (!end || end[1] != ':')
			return -EINVAL;
		port = end + 2;
	} else {
		end = strchr(from, ':');
		if (!end)
			return -EINVAL;
		port = end + 1;
	}
	if (end - from >= sizeof(host) || kstrtou16(port, 10, &number) || !number)
		return -EINVAL;
	memcpy(host, from, end - from);
	host[end - from] = '\0';
	return inet_pton_with_scope(&init_net, AF_UNSPEC, host, port, address);
}

static int error_of(int err)
{
	if (err == -EAGAIN || err == -EINPROGRESS)
		return -ETIMEDOUT;
	return err == -EPIPE ? -ECONNRESET : err;
}

static struct link *new_link(struct socket *socket, unsigned int deadline_ms)
{
	struct link *link = kzalloc(sizeof(*link), GFP_KERNEL);

	if (!link) {
		sock_release(socket);
		return NULL;
	}
	link->socket = socket;
	link->deadline_ms = deadline_ms;
	tcp_sock_set_nodelay(socket->sk);
	sock_set_keepalive(socket->sk);
	socket->sk->sk_sndtimeo = timeout(deadline_ms);
	return link;
}

struct link *mitosis_link_accept(struct socket *socket, unsigned int deadline_ms)
{
	return new_link(socket, deadline_ms);
}

void mitosis_link_close(struct link *link)
{
	if (!link)
		return;
	sock_release(link->socket);
	kfree(link);
}

void mitosis_link_shut(struct link *link)
{
	kernel_sock_shutdown(link->socket, SHUT_RDWR);
}

int mitosis_link_send(struct link *link, enum wire_type type, int status, struct kvec *parts,
		      size_t count, size_t size, bool more)
{
	struct wire_header header = {
		.magic = WIRE_MAGIC,
		.version = WIRE_VERSION,
		.type = type,
		.status = status,
		.length = size,
	};
	struct kvec first = { &header, sizeof(header) };
	struct msghdr msg = { .msg_flags = MSG_NOSIGNAL };
	int n;

	if (size || more)
		msg.msg_flags |= MSG_MORE;
	n = kernel_sendmsg(link->socket, &msg, &first, 1, sizeof(header));
	if (n == sizeof(header) && size) {
		msg = (struct msghdr){
			.msg_flags = MSG_NOSIGNAL | (more ? MSG_MORE : 0),
		};
		n = kernel_sendmsg(link->socket, &msg, parts, count, size);
		return n == size ? 0 : n < 0 ? error_of(n) : -ETIMEDOUT;
	}
	return n == sizeof(header) ? 0 : n < 0 ? error_of(n) : -ETIMEDOUT;
}

int mitosis_link_send_body(struct link *link, enum wire_type type, void *body, size_t size)
{
	struct kvec part = { body, size };

	return mitosis_link_send(link, type, 0, &part, 1, size, false);
}

static int receive(struct link *link, struct kvec *parts, size_t count, size_t size,
		   unsigned int ms)
{
	struct msghdr msg = { .msg_flags = MSG_NOSIGNAL };
	int n;

	link->socket->sk->sk_rcvtimeo = timeout(ms);
	n = kernel_recvmsg(link->socket, &msg, parts, count, size, MSG_WAITALL);
	if (n == size)
		return 0;
	if (n < 0)
		return n;
	/* A short read: the connection ended, or the timeout came. */
	return !n || READ_ONCE(link->socket->sk->sk_shutdown) & RCV_SHUTDOWN ? -ECONNRESET
									     : -ETIMEDOUT;
}

int mitosis_link_receive(struct link *link, struct kvec *parts, size_t count, size_t size)
{
	return error_of(receive(link, parts, count, size, link->deadline_ms));
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
	int err = error_of(mitosis_link_receive_header(link, &header, link->deadline_ms));

	*length = 0;
	if (!err)
		err = mitosis_link_check_header(&header);
	if (err)
		return err;
	/* Errnos above EHWPOISON are kernel-internal: system calls must not return them. */
	if (header.type != type || header.status > 0 || header.status < -EHWPOISON ||
	    (header.status && header.length))
		return -EPROTO;
	*length = header.length;
	return header.status;
}

int mitosis_link_receive_answer(struct link *link, u32 *length)
{
	return receive_answer(link, WIRE_ANSWER, length);
}

int mitosis_link_receive_empty_answer(struct link *link)
{
	u32 length;
	int err = mitosis_link_receive_answer(link, &length);

	return err ?: length ? -EMSGSIZE : 0;
}

static int handshake(struct link *link, u32 *machine_id)
{
	struct wire_challenge challenge;
	struct wire_hello hello;
	struct wire_proof proof;
	u32 length;
	int err;

	mitosis_auth_hello(&hello);
	err = mitosis_link_send_body(link, WIRE_HELLO, &hello, sizeof(hello));
	if (!err)
		err = receive_answer(link, WIRE_CHALLENGE, &length);
	if (!err && length != sizeof(challenge))
		err = -EMSGSIZE;
	if (!err)
		err = mitosis_link_receive_body(link, &challenge, sizeof(challenge));
	if (!err)
		err = mitosis_auth_prove(&hello, &challenge, &proof);
	if (err == -EPROTOTYPE)
		pr_err_ratelimited("machine %u protects its sessions in another way; the module "
				   "speaks to those with MITOSIS_PROTECTION=%s\n",
				   challenge.machine_id, mitosis_auth_protection());
	if (!err)
		err = mitosis_link_send_body(link, WIRE_PROOF, &proof, sizeof(proof));
	if (!err)
		err = mitosis_link_receive_empty_answer(link);
	if (!err)
		*machine_id = challenge.machine_id;
	memzero_explicit(&challenge, sizeof(challenge));
	memzero_explicit(&proof, sizeof(proof));
	return err;
}

int mitosis_link_connect(struct net *net, const struct sockaddr_storage *address,
			 unsigned int deadline_ms, struct link **out, u32 *machine_id)
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
	err = error_of(kernel_connect(socket, (struct sockaddr *)address,
				      address->ss_family == AF_INET ? sizeof(struct sockaddr_in)
								    : sizeof(struct sockaddr_in6),
				      0));
	if (!err)
		err = handshake(link, machine_id);
	if (err)
		mitosis_link_close(link);
	else
		*out = link;
	return err;
}
