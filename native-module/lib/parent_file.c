// SPDX-License-Identifier: Apache-2.0
#define _GNU_SOURCE
#include "lib/parent_file.h"

#include <errno.h>
#include <fcntl.h>

#include "lib/cursor.h"
#include "paging/raw_syscall.h"

#define TEXT_SIZE 256u
#define PATH_SIZE (PROC_NAME_SIZE + 16)

/* The parent's id as this /proc has it; 0: not known. */
static uint32_t parent_in_proc(void)
{
	char text[TEXT_SIZE];
	struct cursor c = { .at = text };
	long fd = raw_open("/proc/self/stat", O_RDONLY | O_CLOEXEC), n = fd;
	const char *p;

	if (fd >= 0) {
		n = raw_syscall(SYS_read, fd, text, sizeof(text) - 1);
		raw_syscall(SYS_close, fd);
	}
	if (n <= 0)
		return 0;
	text[n] = '\0';
	/* Behind the name, which may hold anything: " S PPID". */
	for (p = text; *p; p++)
		if (*p == ')')
			c.at = p + 1;
	skip(&c, ' ');
	c.at += *c.at != '\0';
	skip(&c, ' ');
	return take_number(&c, 10);
}

long parent_file_open(const char *file)
{
	char path[PATH_SIZE];
	uint32_t parent = parent_in_proc(), at = 0;

	if (!parent)
		return -ESRCH;
	name_file(path, "/proc/", parent);
	while (path[at])
		at++;
	while ((path[at++] = *file++))
		;
	return raw_open(path, O_RDONLY | O_CLOEXEC);
}
