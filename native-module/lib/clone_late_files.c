// SPDX-License-Identifier: Apache-2.0
/* Runs in clones: no libc, no globals. */
#define _GNU_SOURCE
#include "lib/clone_late_files.h"

#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <sys/epoll.h>

#include "paging/raw_syscall.h"

#define PATH_SIZE 4096
/* What of open(2)'s flags a file keeps. */
#define OPEN_FLAGS                                                                  \
	(O_ACCMODE | O_APPEND | O_NONBLOCK | O_DIRECT | O_NOATIME | O_PATH |        \
	 O_DIRECTORY | O_SYNC | O_DSYNC)

/* Whether it has come as the parent's, and not as the caller's. */
static bool is_of_parent(const struct clone_request *r, uint32_t number)
{
	uint32_t i;

	for (i = 0; i < r->count; i++)
		if (r->numbers[i] >= 0 && r->numbers[i] & SHADOW_CLONE_OF_PARENT &&
		    (r->numbers[i] & ~SHADOW_CLONE_NUMBER_FLAGS) == (int32_t)number)
			return true;
	return false;
}

/*
 * The path below /proc/self of what lies below /proc/PID of the parent; NULL of
 * other paths, and of one that is too long.
 */
static const char *own_path(const struct descriptor_header *d, const char *theirs,
			    char path[PATH_SIZE])
{
	static const char proc[] = "/proc/", self[] = "/proc/self";
	uint64_t number = 0;
	uint32_t i, size = 0;

	for (i = 0; i < sizeof(proc) - 1; i++)
		if (theirs[i] != proc[i])
			return NULL;
	for (; theirs[i] >= '0' && theirs[i] <= '9' && number <= UINT32_MAX; i++)
		number = 10 * number + theirs[i] - '0';
	if (theirs[i] != '/' || number != (uint32_t)d->owner_pid)
		return NULL;
	for (; size < sizeof(self) - 1; size++)
		path[size] = self[size];
	do {
		path[size++] = theirs[i];
	} while (theirs[i++] && size < PATH_SIZE);
	return size < PATH_SIZE ? path : NULL;
}

static bool place(long open_file, const struct descriptor_fd *fd)
{
	int flags = fd->flags & DESCRIPTOR_FD_CLOSE_ON_EXEC ? O_CLOEXEC : 0;

	return raw_syscall(SYS_dup3, open_file, fd->number, flags) ==
	       (long)fd->number;
}

static bool open_own(const struct descriptor_header *d,
		     const struct descriptor_fd *fd)
{
	char buffer[PATH_SIZE];
	const char *path = own_path(d, descriptor_string(d, fd->path), buffer);
	long opened;

	if (!path)
		return true;
	if (fd->shares != DESCRIPTOR_FD_OWN)
		return place(descriptor_fds(d)[fd->shares].number, fd);
	opened = raw_open(path, (fd->open_flags & OPEN_FLAGS) | O_CLOEXEC);
	if (opened < 0)
		return false;
	raw_syscall(SYS_lseek, opened, fd->position, SEEK_SET);
	return place(opened, fd) && !raw_syscall(SYS_close, opened);
}

/* What is added belongs to the process that adds it: the signals of a signalfd, too. */
static bool watch(const struct descriptor_header *d, const struct descriptor_fd *fd)
{
	const char *items = descriptor_fd_data(d, fd);
	uint32_t at;

	for (at = 0; at < fd->data_size;
	     at += sizeof(struct descriptor_epoll_item)) {
		struct descriptor_epoll_item item;
		struct epoll_event event;
		long err;

		__builtin_memcpy(&item, items + at, sizeof(item));
		event.events = item.events;
		event.data.u64 = item.data;
		err = raw_syscall(SYS_epoll_ctl, fd->number, EPOLL_CTL_ADD,
				  item.number, &event);
		/* The caller's files may be of another kind: /dev/null has no events. */
		if (err && err != -EPERM && err != -EBADF)
			return false;
	}
	return true;
}

bool clone_late_files(const struct clone_request *r,
		      const struct descriptor_header *d)
{
	const struct descriptor_fd *fds = descriptor_fds(d);
	uint32_t i;

	for (i = 0; i < d->fd_count; i++)
		if ((fds[i].kind == FD_FILE || fds[i].kind == FD_DIRECTORY) &&
		    is_of_parent(r, fds[i].number) && !open_own(d, &fds[i]))
			return false;
	for (i = 0; i < d->fd_count; i++)
		if (fds[i].kind == FD_EPOLL && fds[i].shares == DESCRIPTOR_FD_OWN &&
		    is_of_parent(r, fds[i].number) && !watch(d, &fds[i]))
			return false;
	return true;
}
