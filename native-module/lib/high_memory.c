// SPDX-License-Identifier: Apache-2.0
#define _GNU_SOURCE
#include "lib/high_memory.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "lib/error.h"
#include "lib/procmap_query.h"
#include "proto/descriptor.h"

#define HIGH 0x800000000000ull
#define PAGE 4096

static bool is_possible;

void high_memory_init(void)
{
	/* Only where it is asked for does the kernel give such an address. */
	void *p = mmap((void *)HIGH, PAGE, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS,
		       -1, 0);

	if (p == MAP_FAILED)
		return;
	is_possible = (uintptr_t)p >= HIGH;
	munmap(p, PAGE);
}

/* Before Linux 6.11. */
static int read_maps(uint64_t from, uint64_t *start)
{
	FILE *maps = fopen("/proc/self/maps", "re");
	unsigned long first, end;
	char line[512];
	int found = 0;

	if (!maps)
		return -errno;
	while (!found && fgets(line, sizeof(line), maps)) {
		bool whole = strchr(line, '\n');

		/* The vsyscall page is of no process. */
		if (sscanf(line, "%lx-%lx ", &first, &end) == 2 && end > from &&
		    !strstr(line, "[vsyscall]")) {
			*start = first;
			found = 1;
		}
		while (!whole && fgets(line, sizeof(line), maps))
			whole = strchr(line, '\n');
	}
	fclose(maps);
	return found;
}

int high_memory_find(uint64_t from, uint64_t *start)
{
	struct procmap_query q = {
		.size = sizeof(q),
		.query_flags = PROCMAP_QUERY_COVERING_OR_NEXT_VMA,
		.query_addr = from,
	};
	int maps = open("/proc/self/maps", O_RDONLY | O_CLOEXEC);
	int err;

	if (maps < 0)
		return -errno;
	err = ioctl(maps, PROCMAP_QUERY, &q) ? -errno : 0;
	close(maps);
	*start = q.vma_start;
	if (!err)
		return 1;
	return err == -ENOENT ? 0 : read_maps(from, start);
}

int high_memory_check(void)
{
	uint64_t start = 0;
	int found = is_possible ? high_memory_find(USER_MEMORY_END, &start) : 0;

	if (found < 0)
		return fail(found, "/proc/self/maps cannot be read: %s",
			    strerror(-found));
	return !found ? 0
		      : fail(-EOPNOTSUPP,
			     "this process has memory at %#llx, above 2^47 bytes, "
			     "which a snapshot cannot have; unmap it before "
			     "prepare, or map it without such an address as hint",
			     (unsigned long long)start);
}
