// SPDX-License-Identifier: Apache-2.0
#define _GNU_SOURCE
#include "daemon/page_counts.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include "local/runtime_dir.h"

struct page_counts *page_counts_create(int dir)
{
	static struct page_counts uncounted;
	struct page_counts *counts = MAP_FAILED;
	int fd;

	/* Pagers of an earlier mitosisd may still write the old one. */
	unlinkat(dir, RUNTIME_PAGES, 0);
	fd = openat(dir, RUNTIME_PAGES,
		    O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (fd >= 0 && !posix_fallocate(fd, 0, sizeof(*counts)))
		counts = mmap(NULL, sizeof(*counts), PROT_READ | PROT_WRITE,
			      MAP_SHARED, fd, 0);
	if (fd >= 0)
		close(fd);
	return counts == MAP_FAILED ? &uncounted : counts;
}
