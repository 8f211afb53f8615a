// SPDX-License-Identifier: Apache-2.0
/*
 * A child reads what the parent's memory held at its prepare, whatever the
 * parent wrote there afterwards: data, bss, heap, mappings and the stack.
 */
#include <sys/mman.h>

#include "tests/targets/target.h"

#define SIZE (5 * MIB + 3 * PAGE)

static uint64_t data[4 * PAGE / sizeof(uint64_t)] = { 1, 2, 3 };
static uint64_t bss[4 * PAGE / sizeof(uint64_t)];

int main(void)
{
	uint64_t stack[4 * PAGE / sizeof(uint64_t)];
	char *heap = malloc(64 * PAGE);
	char *mapping = mmap(NULL, SIZE, PROT_READ | PROT_WRITE,
			     MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	size_t page;

	CHECK(heap && mapping != MAP_FAILED);
	CHECK_EQ(data[2], 3);
	target_fill(data, sizeof(data), 1);
	target_fill(bss, sizeof(bss), 2);
	target_fill(stack, sizeof(stack), 3);
	target_fill(heap, 64 * PAGE, 4);
	target_fill(mapping, SIZE, 5);
	target_overwrites(data, sizeof(data));
	target_overwrites(bss, sizeof(bss));
	target_overwrites(stack, sizeof(stack));
	target_overwrites(heap, 64 * PAGE);
	target_overwrites(mapping, SIZE);
	target_prepare();

	CHECK_EQ(target_differs(data, 0, sizeof(data), 1), -1);
	CHECK_EQ(target_differs(bss, 0, sizeof(bss), 2), -1);
	CHECK_EQ(target_differs(stack, 0, sizeof(stack), 3), -1);
	CHECK_EQ(target_differs(heap, 0, 64 * PAGE, 4), -1);
	/* From the end to the start, then written and read again. */
	for (page = SIZE / PAGE; page-- > 0;)
		CHECK_EQ(target_differs(mapping, page * PAGE, PAGE, 5), -1);
	target_fill(mapping, SIZE, 6);
	CHECK_EQ(target_differs(mapping, 0, SIZE, 6), -1);
	target_child_has("memory", "kept");
	return 0;
}
