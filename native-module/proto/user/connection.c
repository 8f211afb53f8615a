// SPDX-License-Identifier: Apache-2.0
#define _GNU_SOURCE
#include "proto/user/connection.h"

#include <errno.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/uio.h>
#include <unistd.h>

int wire_deadline_ms(void)
{
	const char *text = getenv("MITOSIS_DEADLINE_MS");
	long value = text ? strtol(text, NULL, 10) : 0;

	return value > 0 && value <= MITOSIS_DEADLINE_MS_MAX
		       ? value
		       : MITOSIS_DEADLINE_MS_DEFAULT;
}

struct wire_header wire_header(enum wire_type type, int32_t status, uint32_t length)
{
	return (struct wire_header){
		.magic = WIRE_MAGIC,
		.version = WIRE_VERSION,
		.type = type,
		.status = status,
		.length = length,
	};
}

static int io_error(int err)
{
	if (err == EAGAIN || err == EWOULDBLOCK)
		return -ETIMEDOUT;
	return err == EPIPE ? -ECONNRESET : -err;
}

int wire_send(int fd, enum wire_type type, const void *body, size_t size)
{
	struct wire_header header = wire_header(type, 0, size);
	struct iovec iov[2] = {
		{ &header, sizeof(header) },
		{ (void *)body, size },
	};
	struct msghdr msg = { .msg_iov = iov, .msg_iovlen = size ? 2 : 1 };
	ssize_t n;

	do {
		n = sendmsg(fd, &msg, MSG_NOSIGNAL);
	} while (n < 0 && errno == EINTR);
	if (n < 0)
		return io_error(errno);
	/* Our messages are smaller than any send buffer. */
	return (size_t)n == sizeof(header) + size ? 0 : -ETIMEDOUT;
}

int wire_receive(int fd, void *bytes, size_t size)
{
	char *p = bytes;

	while (size) {
		ssize_t n = recv(fd, p, size, MSG_WAITALL);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return io_error(errno);
		if (n == 0)
			return -ECONNRESET;
		p += n;
		size -= n;
	}
	return 0;
}

static int receive_header(int fd, enum wire_type type, struct wire_header *h)
{
	int err = wire_receive(fd, h, sizeof(*h));

	if (err)
		return err;
	if (h->magic == WIRE_MAGIC && h->version != WIRE_VERSION)
		return -EPROTONOSUPPORT;
	if (h->magic != WIRE_MAGIC || h->type != type || h->status > 0 ||
	    (h->status && h->length))
		return -EPROTO;
	return h->status;
}

int wire_receive_answer(int fd, uint32_t *length)
{
	struct wire_header h;
	int err = receive_header(fd, WIRE_ANSWER, &h);

	*length = err ? 0 : h.length;
	return err;
}

int wire_call(int fd, enum wire_type type, const void *body, size_t size)
{
	uint32_t length;
	int err = wire_send(fd, type, body, size);

	if (!err)
		err = wire_receive_answer(fd, &length);
	return err ? err : length ? -EMSGSIZE : 0;
}

static int shake_hands(int fd, const struct auth *auth, uint32_t *machine_id)
{
	struct wire_challenge challenge;
	struct wire_header h;
	struct wire_hello hello;
	struct wire_proof proof;
	int err = auth_hello(auth, &hello);

	if (!err)
		err = wire_send(fd, WIRE_HELLO, &hello, sizeof(hello));
	if (!err)
		err = receive_header(fd, WIRE_CHALLENGE, &h);
	if (!err && h.length != sizeof(challenge))
		err = -EMSGSIZE;
	if (!err)
		err = wire_receive(fd, &challenge, sizeof(challenge));
	if (!err)
		err = auth_prove(auth, &hello, &challenge, &proof);
	if (!err)
		err = wire_call(fd, WIRE_PROOF, &proof, sizeof(proof));
	if (!err)
		*machine_id = challenge.machine_id;
	return err;
}

int wire_connect(const struct sockaddr_in6 *address, const struct auth *auth,
		 uint32_t *machine_id)
{
	int deadline_ms = wire_deadline_ms();
	struct timeval t = {
		.tv_sec = deadline_ms / 1000,
		.tv_usec = deadline_ms % 1000 * 1000,
	};
	/* IPv4 comes as ::ffff:a.b.c.d. */
	int fd = socket(AF_INET6, SOCK_STREAM | SOCK_CLOEXEC, 0);
	int one = 1;
	int err = 0;

	if (fd < 0)
		return -errno;
	setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &t, sizeof(t));
	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &t, sizeof(t));
	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
	if (connect(fd, (const struct sockaddr *)address, sizeof(*address)))
		err = errno == EINPROGRESS ? -ETIMEDOUT : -errno;
	if (!err)
		err = shake_hands(fd, auth, machine_id);
	if (err) {
		close(fd);
		return err;
	}
	return fd;
}
