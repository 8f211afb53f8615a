// SPDX-License-Identifier: Apache-2.0
/* Runs in clones, too: no libc, no globals. */
#define _GNU_SOURCE
#include "lib/epoll_items.h"

#include <errno.h>
#include <stdbool.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <sys/stat.h>

#include "paging/raw_syscall.h"

/* What an item with EPOLLONESHOT keeps of its events when it has told one; a new one has more. */
#define DISARMED_EVENTS (EPOLLONESHOT | EPOLLET | EPOLLWAKEUP)

static bool is_disarmed(const struct descriptor_epoll_item *item)
{
	return item->events & EPOLLONESHOT && !(item->events & ~DISARMED_EVENTS);
}

static int control(const struct descriptor_fd *fd, int operation,
		   const struct descriptor_epoll_item *item, uint32_t more_events)
{
	struct epoll_event event = { .events = item->events | more_events,
				     .data.u64 = item->data };

	return (int)raw_syscall(SYS_epoll_ctl, fd->number, operation, item->number,
				&event);
}

/* Takes the events of an epoll that has none but disarmed items. True if this one told one. */
static bool take_events(const struct descriptor_fd *epoll,
			const struct descriptor_epoll_item *item)
{
	struct epoll_event event;
	bool told = false;

	while (raw_syscall(SYS_epoll_pwait, epoll->number, &event, 1, 0, NULL, 8) ==
	       1)
		told |= event.data.u64 == item->data;
	return told;
}

static bool is_pipe(uint32_t number, struct stat *st)
{
	return !raw_syscall(SYS_fstat, number, st) && S_ISFIFO(st->st_mode);
}

/* The end of an empty pipe of the child that writes to it, or -1. */
static long writer_of(const struct descriptor_header *d, uint32_t reader)
{
	const struct descriptor_fd *fds = descriptor_fds(d), *own = NULL;
	struct stat st, other;
	int bytes = 0;
	uint32_t i;

	for (i = 0; i < d->fd_count && !own; i++)
		if (fds[i].number == reader && fds[i].kind == FD_PIPE)
			own = &fds[i];
	/* The caller may have passed another file with this number. */
	if (!own || !is_pipe(reader, &st) ||
	    raw_syscall(SYS_ioctl, reader, FIONREAD, &bytes) || bytes)
		return -1;
	for (i = 0; i < d->fd_count; i++)
		if (fds[i].kind == FD_PIPE && fds[i].inode == own->inode &&
		    (fds[i].open_flags & O_ACCMODE) != O_RDONLY &&
		    is_pipe(fds[i].number, &other) && other.st_ino == st.st_ino &&
		    other.st_dev == st.st_dev)
			return fds[i].number;
	return -1;
}

/*
 * A disarmed item tells nothing until it is armed again. The kernel adds EPOLLHUP and EPOLLERR to each new
 * item, and a child's connections are at their end: so the new item tells an event here, which disarms
 * it. An empty pipe gets a byte for that. What is not ready otherwise (timerfd, signalfd, inotify, epoll)
 * never tells these two, or may tell them once: a full pipe, a socket that listens, a file of the caller.
 */
static int add_disarmed(const struct descriptor_header *d,
			const struct descriptor_fd *epoll,
			const struct descriptor_epoll_item *item)
{
	int err = control(epoll, EPOLL_CTL_ADD, item, EPOLLIN | EPOLLOUT);
	bool told = !err && take_events(epoll, item);
	long writer = err || told ? -1 : writer_of(d, item->number);
	char byte = 0;

	if (writer >= 0 && raw_syscall(SYS_write, writer, &byte, 1) == 1) {
		told = take_events(epoll, item);
		raw_syscall(SYS_read, item->number, &byte, 1);
	}
	return err || told ? err : control(epoll, EPOLL_CTL_MOD, item, 0);
}

int epoll_items_add(const struct descriptor_header *d,
		    const struct descriptor_fd *fd)
{
	const char *items = descriptor_fd_data(d, fd);
	bool disarmed = true;
	uint32_t at;

	/* First those that are disarmed, then the others. */
	for (;; disarmed = false) {
		for (at = 0; at < fd->data_size;
		     at += sizeof(struct descriptor_epoll_item)) {
			struct descriptor_epoll_item item;
			int err;

			__builtin_memcpy(&item, items + at, sizeof(item));
			if (is_disarmed(&item) != disarmed)
				continue;
			err = disarmed ? add_disarmed(d, fd, &item)
				       : control(fd, EPOLL_CTL_ADD, &item, 0);
			/* The caller's files may be of another kind: /dev/null has no events. */
			if (err && err != -EPERM && err != -EBADF)
				return err;
		}
		if (!disarmed)
			return 0;
	}
}
