// SPDX-License-Identifier: Apache-2.0
/* Sixteen children of one snapshot at once, each with memory of its own. */
#include <sys/mman.h>

#include "tests/targets/target.h"

#define SIZE (8 * MIB)

int main(void)
{
	char *m = mmap(NULL, SIZE, PROT_READ | PROT_WRITE,
		       MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	int round;

	CHECK(m != MAP_FAILED);
	target_fill(m, SIZE, 1);
	target_overwrites(m, SIZE);
	target_prepare();

	CHECK_EQ(target_differs(m, 0, SIZE / 2, 1), -1);
	for (round = 0; round < 4; round++) {
		uint64_t seed = getpid() + round;

		target_fill(m, SIZE / 2, seed & 0xffff);
		usleep(10000);
		CHECK_EQ(target_differs(m, 0, SIZE / 2, seed & 0xffff), -1);
	}
	CHECK_EQ(target_differs(m, SIZE / 2, SIZE / 2, 1), -1);
	return 0;
}
