// SPDX-License-Identifier: Apache-2.0
#include "lib/proc_text.h"

#include <errno.h>
#include <fcntl.h>

#include "paging/raw_syscall.h"

int proc_text_read(const char *path, struct proc_text *text)
{
	long fd = raw_open(path, O_RDONLY | O_CLOEXEC);
	uint64_t done = 0;
	long n;

	if (fd < 0)
		return fd;
	while ((n = raw_syscall(SYS_read, fd, text->start + done,
				text->size - 1 - done)) > 0)
		done += n;
	raw_syscall(SYS_close, fd);
	if (n < 0)
		return n;
	if (done == text->size - 1)
		return -E2BIG;
	text->start[done] = '\0';
	return 0;
}
