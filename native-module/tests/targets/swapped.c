// SPDX-License-Identifier: Apache-2.0
/* Pages that lay in swap when the parent was prepared, and some of a child's own. */
#include <sys/mman.h>
#include <sys/sysinfo.h>

#include "tests/targets/target.h"

#ifndef MADV_PAGEOUT
#define MADV_PAGEOUT 21
#endif

#define SIZE (8 * MIB)

static size_t swapped_kib(void)
{
	size_t kib = 0;
	char line[128];
	FILE *f = fopen("/proc/self/status", "r");

	CHECK(f);
	while (fgets(line, sizeof(line), f))
		if (sscanf(line, "VmSwap: %zu", &kib) == 1)
			break;
	fclose(f);
	return kib;
}

int main(void)
{
	struct sysinfo info;
	char *m;

	CHECK(!sysinfo(&info));
	if (info.freeswap * info.mem_unit < 2 * SIZE)
		target_skip("16 MiB of free swap");
	m = mmap(NULL, SIZE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1,
		 0);
	CHECK(m != MAP_FAILED);
	/* Huge pages leave in one piece, or not at all. */
	CHECK(!madvise(m, SIZE, MADV_NOHUGEPAGE));
	target_fill(m, SIZE, 1);
	CHECK(!madvise(m, SIZE, MADV_PAGEOUT));
	CHECK(swapped_kib() > SIZE / 2048);
	target_overwrites(m, SIZE / 4);
	target_prepare();

	CHECK_EQ(target_differs(m, 0, SIZE / 2, 1), -1);
	target_fill(m, SIZE / 4, 2);
	CHECK(!madvise(m, SIZE / 2, MADV_PAGEOUT));
	CHECK_EQ(target_differs(m, SIZE / 4, 3 * SIZE / 4, 1), -1);
	CHECK_EQ(target_differs(m, 0, SIZE / 4, 2), -1);
	target_child_has("memory in swap", "kept");
	return 0;
}
