// SPDX-License-Identifier: Apache-2.0
#define _GNU_SOURCE
#include "lib/parent_path.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <stdbool.h>

#include "paging/raw_syscall.h"

#ifndef SYS_openat2
#define SYS_openat2 437
#endif

/* Where a path leads that begins there, an older kernel cannot be told not to follow. */
static bool is_in_proc(const char *path)
{
	static const char proc[] = "/proc/";
	const char *p = proc;

	while (*p && *p == *path)
		p++, path++;
	return !*p;
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
	return is_in_proc(path) ? -ELOOP : raw_open(path, (int)how.flags);
}
