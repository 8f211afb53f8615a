// SPDX-License-Identifier: Apache-2.0
/* After MADV_DONTNEED and MADV_FREE, missing pages and present ones alike read zeros. */
#include <sys/mman.h>

#include "tests/targets/target.h"

#define SIZE (4 * MIB)

int main(void)
{
	char *m = mmap(NULL, SIZE, PROT_READ | PROT_WRITE,
		       MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	char *p;

	CHECK(m != MAP_FAILED);
	target_fill(m, SIZE, 1);
	target_overwrites(m, SIZE);
	target_prepare();

	CHECK_EQ(target_differs(m, MIB, PAGE, 1), -1);
	CHECK(!madvise(m + MIB, MIB, MADV_DONTNEED));
	CHECK_EQ(target_not_zero(m + MIB, MIB), -1);
	CHECK_EQ(target_differs(m, 0, MIB, 1), -1);
	target_fill(m + MIB, MIB, 2);
	CHECK_EQ(target_differs(m + MIB, 0, MIB, 2), -1);
	CHECK(!madvise(m + MIB, MIB, MADV_DONTNEED));
	CHECK_EQ(target_not_zero(m + MIB, MIB), -1);

	/* Every third page; the neighbours' windows must leave them out. */
	for (p = m + 2 * MIB; p < m + 3 * MIB; p += 3 * PAGE)
		CHECK(!madvise(p, PAGE, MADV_DONTNEED));
	for (p = m + 2 * MIB; p + 3 * PAGE <= m + 3 * MIB; p += 3 * PAGE) {
		CHECK_EQ(target_differs(m, p - m + PAGE, 2 * PAGE, 1), -1);
		CHECK_EQ(target_not_zero(p, PAGE), -1);
	}

	/*
	 * MADV_FREE keeps a page or zeroes it, as the kernel chooses. The memory of the
	 * module's children is none that it can be asked of.
	 */
	CHECK(!madvise(m + 3 * MIB, MIB, MADV_FREE) || errno == EINVAL);
	for (p = m + 3 * MIB; p < m + SIZE; p += PAGE)
		CHECK(target_not_zero(p, PAGE) == -1 ||
		      target_differs(m, p - m, PAGE, 1) == -1);
	return 0;
}
