// SPDX-License-Identifier: Apache-2.0
/* Memory in transparent huge pages, in whole and in part, and huge pages of a child's own. */
#include <sys/mman.h>

#include "tests/targets/target.h"

#define HUGE (2 * MIB)
#define SIZE (8 * HUGE)

static bool has_huge_pages(void)
{
	FILE *f = fopen("/sys/kernel/mm/transparent_hugepage/enabled", "r");
	char line[64] = "";

	if (!f)
		return false;
	if (!fgets(line, sizeof(line), f))
		line[0] = '\0';
	fclose(f);
	return line[0] && !strstr(line, "[never]");
}

static char *map_aligned(void)
{
	char *m = mmap(NULL, SIZE + HUGE, PROT_READ | PROT_WRITE,
		       MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	CHECK(m != MAP_FAILED);
	m = (char *)(((uintptr_t)m + HUGE - 1) & ~(HUGE - 1));
	CHECK(!madvise(m, SIZE, MADV_HUGEPAGE));
	return m;
}

static size_t huge_kib(const char *address)
{
	FILE *f = fopen("/proc/self/smaps", "r");
	unsigned long start, end;
	bool inside = false;
	size_t kib = 0;
	char line[512];

	while (f && fgets(line, sizeof(line), f)) {
		if (sscanf(line, "%lx-%lx ", &start, &end) == 2)
			inside = (uintptr_t)address >= start &&
				 (uintptr_t)address < end;
		if (inside && sscanf(line, "AnonHugePages: %zu", &kib) == 1)
			break;
	}
	if (f)
		fclose(f);
	return kib;
}

int main(void)
{
	char *m, *partly, *own;

	if (!has_huge_pages())
		target_skip("transparent huge pages");
	m = map_aligned();
	partly = map_aligned();
	target_fill(m, SIZE, 1);
	target_fill(partly, SIZE, 2);
	if (!huge_kib(m))
		target_skip("a free huge page");
	CHECK(!madvise(partly + HUGE / 2, HUGE, MADV_DONTNEED));
	CHECK(!mprotect(partly + 3 * HUGE + PAGE, PAGE, PROT_NONE));
	target_overwrites(m, SIZE);
	target_prepare();

	CHECK_EQ(target_differs(m, 0, SIZE, 1), -1);
	CHECK_EQ(target_differs(partly, 0, HUGE / 2, 2), -1);
	CHECK_EQ(target_not_zero(partly + HUGE / 2, HUGE), -1);
	CHECK(!mprotect(partly + 3 * HUGE + PAGE, PAGE, PROT_READ));
	CHECK_EQ(target_differs(partly, HUGE + HUGE / 2, SIZE - HUGE - HUGE / 2, 2),
		 -1);
	CHECK(!munmap(m + HUGE + HUGE / 2, HUGE));
	CHECK_EQ(target_differs(m, 0, HUGE + HUGE / 2, 1), -1);
	own = map_aligned();
	CHECK_EQ(target_not_zero(own, SIZE), -1);
	target_fill(own, SIZE, 3);
	CHECK_EQ(target_differs(own, 0, SIZE, 3), -1);
	target_child_has("memory in huge pages", "kept");
	return 0;
}
