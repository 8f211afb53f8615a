// SPDX-License-Identifier: Apache-2.0
#define _GNU_SOURCE
#include "daemon/count.h"

#include <fcntl.h>
#include <stdbool.h>
#include <unistd.h>

#include "local/runtime_dir.h"

/* What a mitosisd that is killed may have counted: the next one leaves these numbers out. */
#define COUNT_AHEAD (1u << 20)

static bool store(int dir, uint64_t count)
{
	int fd = openat(dir, RUNTIME_COUNT,
			O_WRONLY | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600);
	bool stored =
		fd >= 0 && pwrite(fd, &count, sizeof(count), 0) == sizeof(count);

	if (fd >= 0)
		close(fd);
	return stored;
}

void count_load(int dir, struct registry *registry)
{
	uint64_t count = 0;
	int fd = openat(dir, RUNTIME_COUNT, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);

	if (fd >= 0) {
		if (pread(fd, &count, sizeof(count), 0) != sizeof(count))
			count = 0;
		close(fd);
	}
	registry->children = count;
	store(dir, count + COUNT_AHEAD);
}

void count_save(int dir, const struct registry *registry)
{
	store(dir, registry->children);
}
