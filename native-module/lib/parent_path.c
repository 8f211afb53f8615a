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

const char *parent_path_of_itself(const char *path, int32_t pid)
{
	char text[16], *number = text + sizeof(text) - 1;
	const char *rest = behind("/proc/", path);

	*number = '\0';
	*--number = '/';
	do
		*--number = '0' + pid % 10;
	while (pid /= 10);
	return rest ? behind(number, rest) : NULL;
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
