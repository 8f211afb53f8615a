// SPDX-License-Identifier: Apache-2.0
/* The break grows and shrinks, and malloc goes on with the parent's blocks. */
#include <malloc.h>

#include "tests/targets/target.h"

#define BLOCKS 1000

static void *blocks[BLOCKS];
static size_t sizes[BLOCKS];

int main(void)
{
	char *heap, *grown;
	size_t i;

	for (i = 0; i < BLOCKS; i++) {
		sizes[i] = 16 + i * 37 % 5000 / 8 * 8;
		blocks[i] = malloc(sizes[i]);
		target_fill(blocks[i], sizes[i], i);
	}
	heap = sbrk(MIB);
	target_fill(heap, MIB, 7);
	target_overwrites(heap, MIB);
	target_prepare();

	CHECK(sbrk(0) == heap + MIB);
	grown = sbrk(MIB);
	CHECK(grown == heap + MIB);
	CHECK_EQ(target_not_zero(grown, MIB), -1);
	target_fill(grown, MIB, 8);
	CHECK_EQ(target_differs(heap, 0, MIB, 7), -1);
	CHECK(sbrk(-(long)(MIB + MIB / 2)) == grown + MIB);
	CHECK_EQ(target_differs(heap, 0, MIB / 2, 7), -1);
	/* What was given back and taken again holds nothing old. */
	CHECK(sbrk(MIB) == heap + MIB / 2);
	CHECK_EQ(target_not_zero(heap + MIB / 2, MIB), -1);

	for (i = 0; i < BLOCKS; i += 2)
		free(blocks[i]);
	malloc_trim(0);
	for (i = 1; i < BLOCKS; i += 2) {
		blocks[i] = realloc(blocks[i], 3 * sizes[i]);
		CHECK_EQ(target_differs(blocks[i], 0, sizes[i], i), -1);
		free(blocks[i]);
	}
	for (i = 0; i < BLOCKS; i++)
		CHECK((blocks[i] = malloc(i * 1000)));
	target_child_has("break and heap", "kept");
	return 0;
}
