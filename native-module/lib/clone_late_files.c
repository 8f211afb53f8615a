// SPDX-License-Identifier: Apache-2.0
/* Runs in clones: no libc, no globals. */
#define _GNU_SOURCE
#include "lib/clone_late_files.h"

#include <fcntl.h>
#include <stdbool.h>
#include <stdint.h>

#include "lib/epoll_items.h"
#include "lib/parent_path.h"
#include "lib/remade_files.h"
#include "paging/raw_syscall.h"

#define PATH_SIZE 4096

/* Whether it has come as the parent's, and not as the caller's. */
static bool is_of_parent(const struct clone_request *r,
			 const struct clone_more_files *more, uint32_t number)
{
	uint32_t i;

	for (i = 0; i < r->count; i++)
		if (r->numbers[i] >= 0 && r->numbers[i] & SHADOW_CLONE_OF_PARENT &&
		    shadow_clone_number(r->numbers[i]) == (int32_t)number)
			return true;
	return clone_more_files_of_parent(more, number);
}

/*
 * The path below this process's own /proc/PID of what lies there of the parent; NULL of
 * other paths, and of one that is too long.
 */
static const char *own_path(const struct descriptor_header *d, const char *theirs,
			    char path[PATH_SIZE])
{
	struct parent_own_path own;
	uint32_t size = 0;

	if (!parent_path_of_itself(theirs, d->owner_pid, &own))
		return NULL;
	while (*own.base)
		path[size++] = *own.base++;
	do {
		path[size++] = *own.rest;
	} while (*own.rest++ && size < PATH_SIZE);
	return size < PATH_SIZE ? path : NULL;
}

static long place(long open_file, const struct descriptor_fd *fd)
{
	int flags = fd->flags & DESCRIPTOR_FD_CLOSE_ON_EXEC ? O_CLOEXEC : 0;
	long number = raw_syscall(SYS_dup3, open_file, fd->number, flags);

	return number < 0 ? number : 0;
}

static long open_own(const struct descriptor_header *d,
		     const struct descriptor_fd *fd)
{
	char buffer[PATH_SIZE];
	const char *path = own_path(d, descriptor_string(d, fd->path), buffer);
	long opened, err;

	if (!path)
		return 0;
	if (fd->shares != DESCRIPTOR_FD_OWN)
		return place(descriptor_fds(d)[fd->shares].number, fd);
	opened = raw_open(path, (fd->open_flags & FILES_KEPT_FLAGS) | O_CLOEXEC);
	if (opened < 0)
		return opened;
	raw_syscall(SYS_lseek, opened, fd->position, SEEK_SET);
	err = place(opened, fd);
	return err ? err : raw_syscall(SYS_close, opened);
}

long clone_late_files(const struct clone_request *r,
		      const struct clone_more_files *more,
		      const struct descriptor_header *d, struct told_files *told)
{
	const struct descriptor_fd *fds = descriptor_fds(d);
	long err = 0;
	uint32_t i;

	if (d->fd_count)
		told->count = 0;
	for (i = 0; i < d->fd_count; i++)
		if (is_of_parent(r, more, fds[i].number))
			told_files_add(told, fds, i);
	for (i = 0; i < d->fd_count && !err; i++)
		if ((fds[i].kind == FD_FILE || fds[i].kind == FD_DIRECTORY) &&
		    is_of_parent(r, more, fds[i].number))
			err = open_own(d, &fds[i]);
	for (i = 0; i < d->fd_count && !err; i++)
		if (fds[i].kind == FD_EPOLL && fds[i].shares == DESCRIPTOR_FD_OWN &&
		    is_of_parent(r, more, fds[i].number))
			err = epoll_items_add(d, &fds[i]);
	return err;
}
