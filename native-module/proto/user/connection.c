// SPDX-License-Identifier: Apache-2.0
#define _GNU_SOURCE
#include "proto/user/connection.h"

#include <errno.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/uio.h>
#include <unistd.h>

#include "local/interrupted.h"

int wire_deadline_ms(void)
{
	const char *text = secure_getenv("MITOSIS_DEADLINE_MS");
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

const char *wire_problem(int err)
{
	switch (err) {
	case -EALREADY:
		return "a record came a second time (replay)";
	case -EILSEQ:
		return "records are missing or came in another order";
	case -EBADMSG:
		return "a record was changed on its way";
	case -EBADE:
		return "what it serves is not what the snapshot's own machine has";
	case -ETIMEDOUT:
		return "the deadline has passed";
	case -ECONNRESET:
		return "it has closed the connection";
	default:
		return strerror(-err);
	}
}

static int send_all(int fd, const void *message, size_t size)
{
	const char *p = message;

	while (size) {
		ssize_t n = socket_send(fd, p, size);

		if (n < 0)
			return io_error(errno);
		p += n;
		size -= n;
	}
	return 0;
}

int wire_fail(struct wire_connection *c, int err)
{
	if (!c->failure)
		c->failure = err;
	return c->failure;
}

static int send_message(struct wire_connection *c, enum wire_type type,
			const void *body, size_t size)
{
	struct wire_header header = wire_header(type, 0, size);
	uint8_t text[sizeof(header) + sizeof(struct wire_hello)];
	size_t length = sizeof(header) + size;

	_Static_assert(SEALED_MESSAGE_MAX <= sizeof(text), "a hello is the longest");
	if (length > (c->sealing ? SEALED_MESSAGE_MAX : sizeof(text)))
		return -EMSGSIZE;
	memcpy(text, &header, sizeof(header));
	if (size)
		memcpy(text + sizeof(header), body, size);
	if (!c->sealing)
		return send_all(c->fd, text, length);
	record_seal(&c->sealing->out, text, length, c->sealing->message);
	return send_all(c->fd, c->sealing->message, RECORD_EXTRA + length);
}

int wire_send(struct wire_connection *c, enum wire_type type, const void *body,
	      size_t size)
{
	int err = c->failure ?: send_message(c, type, body, size);

	return err ? wire_fail(c, err) : 0;
}

/* Whether to wait on after the socket's timeout, which is shorter than the deadline where answers can be late. */
static bool waits_on(struct wire_connection *c)
{
	c->waited_ms += c->late_ms;
	return c->late_ms && c->waited_ms < c->deadline_ms;
}

/*
 * Receives up to `size` bytes. Returns how many, at least one, or -errno: -EAGAIN where the caller is to be
 * told that the answer is late.
 */
static ssize_t receive_some(struct wire_connection *c, void *bytes, size_t size,
			    int flags)
{
	ssize_t n;
	int err;

	do {
		n = socket_receive(c->fd, bytes, size, flags);
		err = n < 0 ? io_error(errno) : n ? 0 : -ECONNRESET;
	} while (err == -ETIMEDOUT && waits_on(c) && !c->tells_late);
	if (err == -ETIMEDOUT && c->tells_late)
		return -EAGAIN;
	c->waited_ms = 0;
	c->tells_late = false;
	return err ? err : n;
}

static int receive_plain(struct wire_connection *c, void *bytes, size_t size)
{
	char *p = bytes;

	while (size) {
		ssize_t n = receive_some(c, p, size, MSG_WAITALL);

		if (n < 0)
			return n;
		p += n;
		size -= n;
	}
	return 0;
}

/* Receives until the buffer has `size` bytes, and more if they are there. */
static int fill(struct wire_connection *c, size_t size)
{
	struct sealing *s = c->sealing;

	if (s->begin == s->end)
		s->begin = s->end = 0;
	if (s->begin + size > sizeof(s->buffer)) {
		memmove(s->buffer, s->buffer + s->begin, s->end - s->begin);
		s->end -= s->begin;
		s->begin = 0;
	}
	while (s->end - s->begin < size) {
		ssize_t n = receive_some(c, s->buffer + s->end,
					 sizeof(s->buffer) - s->end, 0);

		if (n < 0)
			return n;
		s->end += n;
	}
	return 0;
}

/* Opens the next record, straight to `bytes` if there is room for all of it. */
static int open_next(struct wire_connection *c, void *bytes, size_t size)
{
	struct sealing *s = c->sealing;
	struct wire_record header;
	uint8_t *text;
	int err = fill(c, sizeof(header));

	if (err)
		return err;
	memcpy(&header, s->buffer + s->begin, sizeof(header));
	err = record_check_header(&s->in, &header);
	if (!err)
		err = fill(c, RECORD_EXTRA + header.size);
	if (err)
		return err;
	/* fill() may have moved it. */
	text = s->buffer + s->begin + sizeof(header);
	s->begin += RECORD_EXTRA + header.size;
	s->text = header.size <= size ? bytes : text;
	err = record_open(&s->in, &header, text, (void *)s->text);
	s->text_size = err ? 0 : header.size;
	return err;
}

static int receive_sealed(struct wire_connection *c, void *bytes, size_t size)
{
	struct sealing *s = c->sealing;
	uint8_t *p = bytes;

	while (size) {
		size_t n;
		int err = s->text_size ? 0 : open_next(c, p, size);

		if (err)
			return err;
		n = s->text_size < size ? s->text_size : size;
		if (s->text != p)
			memcpy(p, s->text, n);
		s->text += n;
		s->text_size -= n;
		p += n;
		size -= n;
	}
	return 0;
}

int wire_receive(struct wire_connection *c, void *bytes, size_t size)
{
	int err = c->failure;

	if (!err)
		err = c->sealing ? receive_sealed(c, bytes, size)
				 : receive_plain(c, bytes, size);
	return err && err != -EAGAIN ? wire_fail(c, err) : err;
}

static int check_any_header(struct wire_connection *c, const struct wire_header *h)
{
	if (h->magic == WIRE_MAGIC && h->version != WIRE_VERSION)
		return wire_fail(c, -EPROTONOSUPPORT);
	if (h->magic != WIRE_MAGIC || h->status > 0 || (h->status && h->length))
		return wire_fail(c, -EPROTO);
	return 0;
}

static int receive_any_header(struct wire_connection *c, struct wire_header *h)
{
	return wire_receive(c, h, sizeof(*h)) ?: check_any_header(c, h);
}

static int status_of(struct wire_connection *c, enum wire_type type,
		     const struct wire_header *h)
{
	/* That is what callers are told of an answer which is still to come. */
	if (h->type != type || h->status == -EINPROGRESS)
		return wire_fail(c, -EPROTO);
	return h->status;
}

static int receive_header(struct wire_connection *c, enum wire_type type,
			  struct wire_header *h)
{
	return receive_any_header(c, h) ?: status_of(c, type, h);
}

int wire_receive_answer(struct wire_connection *c, uint32_t *length)
{
	struct wire_header h;
	int err = receive_header(c, WIRE_ANSWER, &h);

	*length = err ? 0 : h.length;
	return err;
}

bool wire_has_begun(const struct wire_connection *c)
{
	return c->sealing &&
	       (c->sealing->text_size || c->sealing->begin != c->sealing->end);
}

int wire_receive_answer_in_time(struct wire_connection *c, uint32_t *length,
				bool *late)
{
	struct wire_header h;
	int err;

	*length = 0;
	c->tells_late = c->late_ms && !wire_has_begun(c);
	err = wire_receive(c, &h, sizeof(h));
	c->tells_late = false;
	*late = err == -EAGAIN;
	if (*late)
		return 0;
	if (!err)
		err = check_any_header(c, &h) ?: status_of(c, WIRE_ANSWER, &h);
	*length = err ? 0 : h.length;
	return err;
}

int wire_receive_rights(struct wire_connection *c, struct wire_rights *rights)
{
	struct wire_header h;
	int err = receive_any_header(c, &h);

	if (err)
		return err;
	/* Without a snapshot, an answer alone says why. */
	if (h.type == WIRE_ANSWER && h.status)
		return h.status;
	if (h.type != WIRE_RIGHTS || h.status)
		return wire_fail(c, -EPROTO);
	if (h.length != sizeof(*rights))
		return wire_fail(c, -EMSGSIZE);
	err = wire_receive(c, rights, sizeof(*rights));
	if (err)
		return err;
	return rights->has.flags & RIGHTS_KNOWN ? 0 : wire_fail(c, -EBADMSG);
}

int wire_call(struct wire_connection *c, enum wire_type type, const void *body,
	      size_t size)
{
	uint32_t length;
	int err = wire_send(c, type, body, size);

	if (!err)
		err = wire_receive_answer(c, &length);
	return err ? err : length ? wire_fail(c, -EMSGSIZE) : 0;
}

/* From here on, messages travel in records. */
static int begin_sealing(struct wire_connection *c, const struct auth *auth,
			 const struct handshake *h)
{
	struct wire_secrets secrets;

	auth_secrets(auth, h, &secrets);
	c->sealing = sealing_create(&secrets, true);
	explicit_bzero(&secrets, sizeof(secrets));
	return c->sealing ? 0 : -ENOMEM;
}

static int shake_hands(struct wire_connection *c, const struct auth *auth)
{
	bool sealed = auth->protection == WIRE_PROTECTION_SEALED;
	struct handshake *shake = &c->handshake;
	struct wire_header h;
	struct wire_proof proof;
	int err = auth_hello(auth, shake);

	if (!err && sealed)
		err = auth_bind(shake, c->fd, true);
	if (!err)
		err = wire_send(c, WIRE_HELLO, &shake->hello, sizeof(shake->hello));
	if (!err)
		err = receive_header(c, WIRE_CHALLENGE, &h);
	if (!err && h.length != sizeof(shake->challenge))
		err = -EMSGSIZE;
	if (!err)
		err = wire_receive(c, &shake->challenge, sizeof(shake->challenge));
	if (err)
		return err;
	c->machine_id = shake->challenge.machine_id;
	c->its_protection = shake->challenge.protection;
	err = auth_prove(auth, shake, &proof);
	if (!err)
		err = wire_call(c, WIRE_PROOF, &proof, sizeof(proof));
	return !err && sealed ? begin_sealing(c, auth, shake) : err;
}

static struct timeval timeout_of(int ms)
{
	return (struct timeval){ .tv_sec = ms / 1000, .tv_usec = ms % 1000 * 1000 };
}

int wire_set_late(struct wire_connection *c, int ms)
{
	struct timeval t = timeout_of(ms);

	if (setsockopt(c->fd, SOL_SOCKET, SO_RCVTIMEO, &t, sizeof(t)))
		return -errno;
	c->late_ms = ms;
	return 0;
}

int wire_connect(struct wire_connection *c, const struct sockaddr_in6 *address,
		 const struct auth *auth)
{
	return wire_connect_within(c, address, auth, wire_deadline_ms());
}

int wire_connect_within(struct wire_connection *c,
			const struct sockaddr_in6 *address, const struct auth *auth,
			int deadline_ms)
{
	struct timeval t = timeout_of(deadline_ms);
	int one = 1;
	int err;

	memset(c, 0, sizeof(*c));
	c->deadline_ms = deadline_ms;
	/* IPv4 comes as ::ffff:a.b.c.d. */
	c->fd = socket(AF_INET6, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (c->fd < 0)
		return -errno;
	setsockopt(c->fd, SOL_SOCKET, SO_SNDTIMEO, &t, sizeof(t));
	setsockopt(c->fd, SOL_SOCKET, SO_RCVTIMEO, &t, sizeof(t));
	setsockopt(c->fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
	err = socket_connect(c->fd, (const struct sockaddr *)address,
			     sizeof(*address));
	if (!err)
		err = shake_hands(c, auth);
	if (err)
		wire_close(c);
	return err;
}

void wire_close(struct wire_connection *c)
{
	if (c->fd >= 0)
		close(c->fd);
	sealing_destroy(c->sealing);
	c->fd = -1;
	c->sealing = NULL;
}
