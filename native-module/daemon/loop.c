// SPDX-License-Identifier: Apache-2.0
#define _GNU_SOURCE
#include "daemon/loop.h"

#include <errno.h>
#include <sys/epoll.h>
#include <time.h>
#include <unistd.h>

#define EVENTS_AT_ONCE 64

int64_t monotonic_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * 1000ll + now.tv_nsec / 1000000;
}

int sooner_ms(int a_ms, int b_ms)
{
	if (a_ms < 0 || b_ms < 0)
		return a_ms < 0 ? b_ms : a_ms;
	return a_ms < b_ms ? a_ms : b_ms;
}

int loop_init(struct loop *loop)
{
	*loop = (struct loop){ .epoll = epoll_create1(EPOLL_CLOEXEC) };
	return loop->epoll < 0 ? -errno : 0;
}

int loop_watch(struct loop *loop, int fd, struct event_source *source)
{
	struct epoll_event event = { .events = EPOLLIN, .data.ptr = source };

	return epoll_ctl(loop->epoll, EPOLL_CTL_ADD, fd, &event) ? -errno : 0;
}

void loop_forget(struct loop *loop, int fd)
{
	epoll_ctl(loop->epoll, EPOLL_CTL_DEL, fd, NULL);
}

void loop_close(struct loop *loop, int fd)
{
	loop_forget(loop, fd);
	close(fd);
}

int loop_run(struct loop *loop, struct daemon *daemon,
	     int (*due)(struct daemon *daemon))
{
	struct epoll_event events[EVENTS_AT_ONCE];

	loop->last_event_ms = monotonic_ms();
	while (!loop->stop) {
		int timeout_ms = due(daemon);
		int i, n;

		if (loop->stop)
			break;
		n = epoll_wait(loop->epoll, events, EVENTS_AT_ONCE, timeout_ms);
		if (n < 0 && errno != EINTR)
			return -errno;
		for (i = 0; i < n; i++) {
			struct event_source *source = events[i].data.ptr;

			source->ready(daemon, source);
		}
		if (n > 0)
			loop->last_event_ms = monotonic_ms();
	}
	return 0;
}
