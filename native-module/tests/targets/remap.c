// SPDX-License-Identifier: Apache-2.0
/*
 * mremap: data that has not been fetched yet comes along when a child grows,
 * moves, shrinks and splits mappings; what is new reads zeros.
 */
#define _GNU_SOURCE
#include <sys/mman.h>

#include "tests/targets/target.h"

#define SIZE (4 * MIB)

static char *map(size_t size)
{
	char *m = mmap(NULL, size, PROT_READ | PROT_WRITE,
		       MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	CHECK(m != MAP_FAILED);
	return m;
}

static char *filled(uint64_t seed)
{
	char *m = map(SIZE);

	target_fill(m, SIZE, seed);
	target_overwrites(m, SIZE);
	return m;
}

int main(void)
{
	char *grown = filled(1), *moved = filled(2), *split = filled(3);
	char *shrunk = filled(4), *swapped = filled(5), *room, *m;
	uint64_t *copy = (uint64_t *)map(MIB);
	char *block = malloc(8 * MIB);

	target_fill(block, 8 * MIB, 6);
	target_overwrites(block, 8 * MIB);
	target_prepare();

	m = mremap(grown, SIZE, 16 * SIZE, MREMAP_MAYMOVE);
	CHECK(m != MAP_FAILED);
	CHECK_EQ(target_differs(m, 0, SIZE, 1), -1);
	CHECK_EQ(target_not_zero(m + SIZE, 15 * SIZE), -1);

	/* To where windows of 512 pages do not start at a window's start. */
	room = map(SIZE + 7 * PAGE);
	CHECK_EQ(target_differs(moved, MIB, 3 * PAGE, 2), -1);
	m = mremap(moved, SIZE, SIZE, MREMAP_MAYMOVE | MREMAP_FIXED,
		   room + 7 * PAGE);
	CHECK(m == room + 7 * PAGE);
	CHECK_EQ(target_not_zero(room, 7 * PAGE), -1);
	CHECK_EQ(target_differs(m, SIZE - PAGE, PAGE, 2), -1);
	CHECK_EQ(target_differs(m, 0, SIZE, 2), -1);
	CHECK(mmap(moved, SIZE, PROT_READ | PROT_WRITE,
		   MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1,
		   0) == moved);
	CHECK_EQ(target_not_zero(moved, SIZE), -1);

	/* The middle of one, over a part of another. */
	CHECK(mremap(split + MIB + PAGE, MIB, MIB, MREMAP_MAYMOVE | MREMAP_FIXED,
		     copy) == copy);
	CHECK_EQ(target_differs(split, 0, MIB + PAGE, 3), -1);
	CHECK_EQ(target_differs(split, 2 * MIB + PAGE, 2 * MIB - PAGE, 3), -1);
	CHECK_EQ(copy[0], target_word(3, (MIB + PAGE) / 8));
	CHECK_EQ(copy[MIB / 8 - 1], target_word(3, (2 * MIB + PAGE) / 8 - 1));
	CHECK_EQ(copy[17 * PAGE / 8], target_word(3, (MIB + 18 * PAGE) / 8));

	CHECK(mremap(shrunk, SIZE, MIB, 0) == shrunk);
	/* Under Linux 6.12, memory of the module's children does not grow in place. */
	if (mremap(shrunk, MIB, SIZE, 0) == shrunk)
		CHECK_EQ(target_not_zero(shrunk + MIB, SIZE - MIB), -1);
	else
		CHECK_EQ(errno, ENOMEM);
	CHECK_EQ(target_differs(shrunk, 0, MIB, 4), -1);

	/* Moved away and back again. */
	room = map(SIZE);
	CHECK(mremap(swapped, SIZE, SIZE, MREMAP_MAYMOVE | MREMAP_FIXED, room) ==
	      room);
	CHECK(mremap(room, SIZE, SIZE, MREMAP_MAYMOVE | MREMAP_FIXED, swapped) ==
	      swapped);
	CHECK_EQ(target_differs(swapped, 0, SIZE, 5), -1);

	block = realloc(block, 64 * MIB);
	CHECK_EQ(target_differs(block, 0, 8 * MIB, 6), -1);
	return 0;
}
