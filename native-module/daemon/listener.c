// SPDX-License-Identifier: Apache-2.0
#define _GNU_SOURCE
#include "daemon/listener.h"

#include <errno.h>
#include <stdbool.h>
#include <sys/socket.h>

#include "daemon/daemon.h"

/*
 * A connection that cannot be accepted for lack of descriptors or memory stays in
 * the queue, and its listener ready: without a pause the loop would never wait. The
 * caller has a deadline, and is served if there is room before.
 */
#define PAUSE_MS 50

static void pause_listener(struct loop *loop, struct listener *listener)
{
	listener->paused_until_ms = monotonic_ms() + PAUSE_MS;
	loop_forget(loop, listener->fd);
}

static void listener_ready(struct daemon *daemon, struct event_source *source)
{
	struct listener *listener = (struct listener *)source;

	for (;;) {
		int fd = accept4(listener->fd, NULL, NULL,
				 SOCK_CLOEXEC | SOCK_NONBLOCK);

		if (fd >= 0)
			listener->accepted(daemon, fd);
		else if (errno == EAGAIN)
			return;
		/* These two are of one connection, which has gone. */
		else if (errno != EINTR && errno != ECONNABORTED)
			break;
	}
	trace(&daemon->trace, TRACE_STEPS, "cannot accept a connection",
	      TRACE_NUMBER("errno", errno));
	pause_listener(&daemon->loop, listener);
}

int listener_start(struct loop *loop, struct listener *listener)
{
	listener->source.ready = listener_ready;
	listener->paused_until_ms = 0;
	return loop_watch(loop, listener->fd, &listener->source);
}

int listener_expire(struct loop *loop, struct listener *listener)
{
	int64_t left_ms = listener->paused_until_ms - monotonic_ms();

	if (!listener->paused_until_ms)
		return -1;
	if (left_ms > 0)
		return left_ms;
	if (listener_start(loop, listener)) {
		listener->paused_until_ms = monotonic_ms() + PAUSE_MS;
		return PAUSE_MS;
	}
	return -1;
}
