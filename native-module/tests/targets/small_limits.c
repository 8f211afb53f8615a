// SPDX-License-Identifier: Apache-2.0
/*
 * Limits of memory, which the caller has not, and which what it maps until then would
 * break, hold in a child: it can map what its parent could, and no more.
 */
#define _GNU_SOURCE
#include <sys/mman.h>
#include <sys/resource.h>

#include "tests/targets/target.h"

/* A shadow needs some, too. */
#define MORE (64 * MIB)

/* Kilobytes of a line of /proc/self/status. */
static size_t kilobytes(const char *name)
{
	FILE *status = fopen("/proc/self/status", "re");
	char line[256];
	size_t kib = 0;

	CHECK(status);
	while (fgets(line, sizeof(line), status))
		if (!strncmp(line, name, strlen(name)))
			kib = strtoul(line + strlen(name), NULL, 10);
	fclose(status);
	return kib;
}

static void *map(size_t size)
{
	return mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS,
		    -1, 0);
}

static void check_limit(int resource, rlim_t most)
{
	struct rlimit now;

	CHECK(!getrlimit(resource, &now));
	CHECK_EQ(now.rlim_cur, most);
	CHECK_EQ(now.rlim_max, most);
}

int main(void)
{
	struct rlimit all, data;

	all.rlim_cur = all.rlim_max = (kilobytes("VmSize:") << 10) + 4 * MORE;
	data.rlim_cur = data.rlim_max = (kilobytes("VmData:") << 10) + 2 * MORE;
	CHECK(!setrlimit(RLIMIT_AS, &all));
	CHECK(!setrlimit(RLIMIT_DATA, &data));
	target_prepare();

	check_limit(RLIMIT_AS, all.rlim_cur);
	check_limit(RLIMIT_DATA, data.rlim_cur);
	CHECK(map(MIB) != MAP_FAILED);
	CHECK(map(3 * MORE) == MAP_FAILED);
	CHECK(mmap(NULL, 5 * MORE, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) ==
	      MAP_FAILED);
	target_child_has("limits of memory", "kept");
	return 0;
}
