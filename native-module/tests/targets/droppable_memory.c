// SPDX-License-Identifier: Apache-2.0
/*
 * MAP_DROPPABLE: memory of secrets that the kernel may drop, and that forked processes
 * do not get. In a child it is empty, and still of that kind.
 */
#define _GNU_SOURCE
#include <sys/mman.h>

#include "tests/targets/target.h"

#ifndef MAP_DROPPABLE
#define MAP_DROPPABLE 0x08
#endif

static bool has_flag(const void *address, const char *flag)
{
	FILE *smaps = fopen("/proc/self/smaps", "re");
	unsigned long start, end, at = (unsigned long)address;
	bool found = false, inside = false;
	char line[4096 + 128], letters[8];

	CHECK(smaps);
	snprintf(letters, sizeof(letters), " %s ", flag);
	while (fgets(line, sizeof(line), smaps)) {
		if (sscanf(line, "%lx-%lx ", &start, &end) == 2)
			inside = start <= at && at < end;
		else if (inside && !strncmp(line, "VmFlags:", 8))
			found = strstr(line, letters) != NULL;
	}
	fclose(smaps);
	return found;
}

int main(void)
{
	char *m = mmap(NULL, MIB, PROT_READ | PROT_WRITE,
		       MAP_DROPPABLE | MAP_ANONYMOUS, -1, 0);

	if (m == MAP_FAILED)
		target_skip("MAP_DROPPABLE: Linux 6.11");
	target_needs_user_backend();
	target_fill(m, MIB, 1);
	CHECK(has_flag(m, "dp"));
	target_prepare();

	CHECK_EQ(target_not_zero(m, MIB), -1);
	CHECK(has_flag(m, "dp"));
	CHECK(has_flag(m, "wf"));
	m[0] = 1;
	return 0;
}
