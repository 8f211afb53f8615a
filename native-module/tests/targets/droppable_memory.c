// SPDX-License-Identifier: Apache-2.0
/*
 * MAP_DROPPABLE: memory of secrets that the kernel may drop, and that forked processes
 * do not get. In a child it is empty, and still of that kind.
 */
#define _GNU_SOURCE
#include <sys/mman.h>

#include "tests/targets/target.h"
#include "tests/targets/vma_letters.h"

#ifndef MAP_DROPPABLE
#define MAP_DROPPABLE 0x08
#endif

int main(void)
{
	char *m = mmap(NULL, MIB, PROT_READ | PROT_WRITE,
		       MAP_DROPPABLE | MAP_ANONYMOUS, -1, 0);

	if (m == MAP_FAILED)
		target_skip("MAP_DROPPABLE: Linux 6.11");
	target_fill(m, MIB, 1);
	CHECK(has_flag(m, "dp"));
	target_prepare();

	CHECK_EQ(target_not_zero(m, MIB), -1);
	CHECK(has_flag(m, "dp"));
	CHECK(has_flag(m, "wf"));
	m[0] = 1;
	target_child_has("droppable memory (MAP_DROPPABLE)", "fresh");
	return 0;
}
