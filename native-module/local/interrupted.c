// SPDX-License-Identifier: Apache-2.0
#include "local/interrupted.h"

#include <errno.h>
#include <sys/time.h>

#include "local/clock.h"

/* For an answer of what was stopped together with this process, after the deadline. */
#define GRACE_MS 200

/* What is left until then, for poll(2): -1 without a deadline. */
static int left_ms(int64_t began_ms, int64_t timeout_ms)
{
	int64_t left = began_ms + timeout_ms - now_ms();

	return timeout_ms < 0 ? -1 : left > 0 ? (int)left : 0;
}

int poll_within(struct pollfd *polls, nfds_t count, int timeout_ms)
{
	int64_t began_ms = now_ms();
	int n;

	do {
		n = poll(polls, count, left_ms(began_ms, timeout_ms));
	} while (n < 0 && errno == EINTR);
	return n;
}

/* Of a socket; -1: without end. */
static int64_t timeout_ms(int socket, short event)
{
	struct timeval t = { 0 };
	socklen_t size = sizeof(t);

	getsockopt(socket, SOL_SOCKET, event == POLLIN ? SO_RCVTIMEO : SO_SNDTIMEO,
		   &t, &size);
	return t.tv_sec || t.tv_usec ? t.tv_sec * 1000ll + t.tv_usec / 1000 : -1;
}

bool socket_goes_on(int socket, short event, int64_t began_ms)
{
	struct pollfd p = { .fd = socket, .events = event };
	int left = left_ms(began_ms, timeout_ms(socket, event));

	if (poll_within(&p, 1, left >= 0 && left < GRACE_MS ? GRACE_MS : left))
		return true;
	errno = EAGAIN;
	return false;
}

ssize_t socket_send(int socket, const void *bytes, size_t size)
{
	int64_t began_ms = now_ms();
	ssize_t n;

	do {
		n = send(socket, bytes, size, MSG_NOSIGNAL);
	} while (n < 0 && errno == EINTR &&
		 socket_goes_on(socket, POLLOUT, began_ms));
	return n;
}

ssize_t socket_receive(int socket, void *bytes, size_t size, int flags)
{
	int64_t began_ms = now_ms();
	ssize_t n;

	do {
		n = recv(socket, bytes, size, flags);
	} while (n < 0 && errno == EINTR &&
		 socket_goes_on(socket, POLLIN, began_ms));
	return n;
}

static int connect_once(int socket, const struct sockaddr *address, socklen_t size)
{
	int err = connect(socket, address, size) ? errno : 0;

	/* How the two kinds of sockets say that their timeout has passed. */
	return err == EINPROGRESS || err == EAGAIN ? -ETIMEDOUT : -err;
}

static int finish_connect(int socket, int64_t began_ms)
{
	int err = 0;
	socklen_t size = sizeof(err);

	if (!socket_goes_on(socket, POLLOUT, began_ms))
		return -ETIMEDOUT;
	return getsockopt(socket, SOL_SOCKET, SO_ERROR, &err, &size) ? -errno : -err;
}

int socket_connect(int socket, const struct sockaddr *address, socklen_t size)
{
	int64_t began_ms = now_ms();
	int err = connect_once(socket, address, size);

	/* That of TCP goes on, and another call would be refused. */
	if (err == -EINTR && address->sa_family != AF_UNIX)
		return finish_connect(socket, began_ms);
	/* That of a unix socket has left its queue, and poll(2) does not wait for it. */
	while (err == -EINTR) {
		if (!left_ms(began_ms, timeout_ms(socket, POLLOUT)))
			return -ETIMEDOUT;
		err = connect_once(socket, address, size);
	}
	return err;
}
