// SPDX-License-Identifier: Apache-2.0
/* A sparse gibibyte: the few pages that were written, zeros around them. */
#include <sys/mman.h>

#include "tests/targets/target.h"

#define SIZE   (1024 * MIB)
#define STRIDE (37 * MIB + 5 * PAGE)

int main(void)
{
	char *m = mmap(NULL, SIZE, PROT_READ | PROT_WRITE,
		       MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	uint64_t i;

	CHECK(m != MAP_FAILED);
	for (i = PAGE; i + PAGE < SIZE; i += STRIDE)
		target_fill(m + i, PAGE, i / PAGE);
	target_overwrites(m, 4 * PAGE);
	target_prepare();

	for (i = PAGE; i + PAGE < SIZE; i += STRIDE) {
		CHECK_EQ(target_not_zero(m + i - PAGE, PAGE), -1);
		CHECK_EQ(target_differs(m + i, 0, PAGE, i / PAGE), -1);
		CHECK_EQ(target_not_zero(m + i + PAGE, PAGE), -1);
		m[i + 16 * PAGE] = 1;
		CHECK_EQ(target_not_zero(m + i + 15 * PAGE, PAGE), -1);
		CHECK_EQ(target_not_zero(m + i + 16 * PAGE + 1, PAGE - 1), -1);
	}
	target_child_has("sparse memory", "kept");
	return 0;
}
