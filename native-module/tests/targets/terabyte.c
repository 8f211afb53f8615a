// SPDX-License-Identifier: Apache-2.0
/*
 * A sparse terabyte, of which a page is written, a page is read, and a huge page is read:
 * a child costs the one page, whether its pages are copied when it starts or later.
 */
#include <sys/mman.h>

#include "tests/targets/target.h"

#define TIB	   (1ul << 40)
#define HUGE	   (2 * MIB)
#define MOST_PAGES 4096 /* resident in a child; a small program has 500 */

static long resident_pages(void)
{
	FILE *statm = fopen("/proc/self/statm", "re");
	long size, resident;

	CHECK(statm);
	CHECK_EQ(fscanf(statm, "%ld %ld", &size, &resident), 2);
	fclose(statm);
	return resident;
}

int main(void)
{
	const size_t size = TIB;
	char *m = mmap(NULL, size, PROT_READ | PROT_WRITE,
		       MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	volatile char *huge = m + (size / 2 & ~(HUGE - 1));

	if (m == MAP_FAILED)
		target_skip("1 TiB of address space");
	target_fill(m + size - 3 * PAGE, PAGE, 7);
	CHECK_EQ(((volatile char *)m)[5 * PAGE], 0);
	madvise((void *)huge, 4 * HUGE, MADV_HUGEPAGE);
	CHECK_EQ(huge[HUGE], 0);
	target_prepare();
	CHECK(resident_pages() < MOST_PAGES);
	CHECK_EQ(target_differs(m + size - 3 * PAGE, 0, PAGE, 7), -1);
	CHECK_EQ(m[5 * PAGE], 0);
	CHECK_EQ(m[size / 3], 0);
	CHECK_EQ(huge[HUGE + PAGE], 0);
	m[size / 3] = 1;
	CHECK_EQ(target_not_zero(m + size / 3 - PAGE, PAGE), -1);
	return 0;
}
