// SPDX-License-Identifier: Apache-2.0
/* What a child unmaps and maps again at the same place reads zeros. */
#include <sys/mman.h>

#include "tests/targets/target.h"

#define SIZE (4 * MIB)

static void map_again(char *at, size_t size)
{
	CHECK(mmap(at, size, PROT_READ | PROT_WRITE,
		   MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0) == at);
}

int main(void)
{
	char *m = mmap(NULL, SIZE, PROT_READ | PROT_WRITE,
		       MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	char *over;

	CHECK(m != MAP_FAILED);
	target_fill(m, SIZE, 1);
	target_overwrites(m, SIZE);
	target_prepare();

	/* A hole in the middle, some of whose pages are there already. */
	CHECK_EQ(target_differs(m, MIB + 16 * PAGE, 16 * PAGE, 1), -1);
	CHECK(!munmap(m + MIB, MIB));
	map_again(m + MIB, MIB);
	CHECK_EQ(target_not_zero(m + MIB, MIB), -1);
	CHECK_EQ(target_differs(m, 0, MIB, 1), -1);
	CHECK_EQ(target_differs(m, 2 * MIB, PAGE, 1), -1);

	/* Over the old mapping at once, across the hole's end. */
	over = mmap(m + MIB + MIB / 2, MIB, PROT_READ | PROT_WRITE,
		    MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
	CHECK(over == m + MIB + MIB / 2);
	CHECK_EQ(target_not_zero(over, MIB), -1);
	CHECK_EQ(target_differs(m, 2 * MIB + MIB / 2, MIB + MIB / 2, 1), -1);

	/* A page at a time, every other one. */
	for (over = m + 3 * MIB; over < m + SIZE; over += 2 * PAGE) {
		CHECK(!munmap(over, PAGE));
		map_again(over, PAGE);
		CHECK_EQ(target_not_zero(over, PAGE), -1);
		CHECK_EQ(target_differs(m, over - m + PAGE, PAGE, 1), -1);
	}
	CHECK(!munmap(m, SIZE));
	map_again(m, SIZE);
	CHECK_EQ(target_not_zero(m, SIZE), -1);
	return 0;
}
