// SPDX-License-Identifier: Apache-2.0
/*
 * Memory above 2^47 is found, and refused by its address where there can be any: on a CPU with page
 * tables of 5 levels.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <stdio.h>
#include <sys/mman.h>

#include "lib/high_memory.h"
#include "proto/descriptor.h"
#include "tests/harness.h"

#define PAGE 4096
#define HIGH (1ull << 48)

int main(void)
{
	struct mitosis *device = open_user();
	char *two =
		mmap(NULL, 2 * PAGE, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	uint64_t start = 0;
	char address[32];
	char *high;

	/* The search, at other addresses. */
	CHECK(two != MAP_FAILED && !mprotect(two + PAGE, PAGE, PROT_NONE));
	CHECK_EQ(high_memory_find((uintptr_t)two + PAGE, &start), 1);
	CHECK_EQ(start, (uintptr_t)two + PAGE);
	CHECK(!munmap(two + PAGE, PAGE));
	CHECK_EQ(high_memory_find((uintptr_t)two + PAGE - 1, &start), 1);
	CHECK(start <= (uintptr_t)two);
	CHECK_EQ(high_memory_find(USER_MEMORY_END, &start), 0);

	high = mmap((void *)HIGH, PAGE, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1,
		    0);
	CHECK(high != MAP_FAILED);
	if ((uintptr_t)high < HIGH)
		skip("a CPU and a kernel with page tables of 5 levels (la57)");
	CHECK_EQ(mitosis_prepare(device, 3), -EOPNOTSUPP);
	snprintf(address, sizeof(address), "%p, above 2^47", high);
	check_error_has(address);
	CHECK(!munmap(high, PAGE));
	CHECK_EQ(mitosis_prepare(device, 3), 0);
	mitosis_close(device);
	return 0;
}
