// SPDX-License-Identifier: Apache-2.0
#define _GNU_SOURCE
#include "lib/parent_path.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <stddef.h>

#include "paging/raw_syscall.h"

#ifndef SYS_openat2
#define SYS_openat2 437
#endif

/* What follows in the path; NULL: it does not begin so. */
static const char *behind(const char *start, const char *path)
{
	while (*start && *start == *path)
		start++, path++;
	return *start ? NULL : path;
}

/* The same of a whole name: that of a process or thread. */
static const char *behind_id(int32_t id, const char *path)
{
	char text[16], *number = text + sizeof(text) - 1;

	*number = '\0';
	do
		*--number = '0' + id % 10;
	while (id /= 10);
	path = behind(number, path);
	return path && (!*path || *path == '/') ? path : NULL;
}

bool parent_path_of_itself(const char *path, int32_t pid,
			   struct parent_own_path *own)
{
	const char *rest = behind("/proc/", path), *of_thread;

	rest = rest ? behind_id(pid, rest) : NULL;
	if (!rest || !*rest)
		return false;
	of_thread = behind("/task/", rest);
	of_thread = of_thread ? behind_id(pid, of_thread) : NULL;
	own->base = of_thread ? "/proc/thread-self" : "/proc/self";
	own->rest = of_thread ? of_thread : rest;
	return true;
}

bool parent_path_of_thread(const struct parent_own_path *own)
{
	const char *id = behind("/task/", own->rest);

	return id && *id;
}

long parent_path_open(const char *path, int flags)
{
	struct open_how how = {
		.flags = O_PATH | O_CLOEXEC | flags,
		.resolve = RESOLVE_NO_MAGICLINKS,
	};
	long fd = raw_syscall(SYS_openat2, AT_FDCWD, path, &how, sizeof(how));

	/* Before Linux 5.6, or a seccomp filter that does not know the call. */
	if (fd != -ENOSYS && fd != -EPERM)
		return fd;
	/* Where such a path leads, an older kernel cannot be told not to follow. */
	return behind("/proc/", path) ? -ELOOP : raw_open(path, (int)how.flags);
}

bool parent_path_enter(const char *directory)
{
	long fd = parent_path_open(directory, O_DIRECTORY);
	bool done = fd >= 0 && !raw_syscall(SYS_fchdir, fd);

	if (fd >= 0)
		raw_syscall(SYS_close, fd);
	return done;
}
