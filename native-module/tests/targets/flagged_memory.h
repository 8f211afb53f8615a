/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What madvise(2) has set for memory holds in a child, and for what the child forks:
 * it is empty (MADV_WIPEONFORK), absent (MADV_DONTFORK) or not dumped (MADV_DONTDUMP).
 * POPULATED says how many bytes have pages.
 */
#ifndef TESTS_TARGETS_FLAGGED_MEMORY_H
#define TESTS_TARGETS_FLAGGED_MEMORY_H

#include <sys/mman.h>
#include <sys/wait.h>

#include "tests/targets/target.h"
#include "tests/targets/vma_letters.h"

/* Of one mapping, so that each has its neighbours in the same VMA before madvise. */
enum {
	KEPT,
	WIPED,
	NOT_FORKED,
	KEPT_TOO,
	NOT_DUMPED,
	WIPED_NOT_DUMPED,
	LAST,
	PARTS
};
#define PART (16 * PAGE)

static char *memory;

static char *part(int i)
{
	return memory + i * PART;
}

static bool is_mapped(const void *address)
{
	unsigned char resident[PART / PAGE];

	if (!mincore((void *)address, PART, resident))
		return true;
	CHECK_EQ(errno, ENOMEM);
	return false;
}

static void check_flags(void)
{
	int i;

	for (i = 0; i < PARTS; i++) {
		if (i == NOT_FORKED)
			continue;
		CHECK_EQ(has_flag(part(i), "wf"),
			 i == WIPED || i == WIPED_NOT_DUMPED);
		CHECK_EQ(has_flag(part(i), "dd"),
			 i == NOT_DUMPED || i == WIPED_NOT_DUMPED);
	}
}

/* In a process that was forked, by whichever means. */
static void check_memory(void)
{
	CHECK(!is_mapped(part(NOT_FORKED)));
	CHECK_EQ(target_not_zero(part(WIPED), PART), -1);
	CHECK_EQ(target_not_zero(part(WIPED_NOT_DUMPED), PART), -1);
	CHECK_EQ(target_differs(part(KEPT), 0, PART, KEPT), -1);
	CHECK_EQ(target_differs(part(KEPT_TOO), 0, PART, KEPT_TOO), -1);
	CHECK_EQ(target_differs(part(NOT_DUMPED), 0, PART, NOT_DUMPED), -1);
	CHECK_EQ(target_differs(part(LAST), 0, PART, LAST), -1);
}

static inline int run_target(void)
{
	char *populated;
	int i, pid;

	populated = mmap(NULL, POPULATED, PROT_READ | PROT_WRITE,
			 MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	CHECK(populated != MAP_FAILED);
	memset(populated, 1, POPULATED);
	memory = mmap(NULL, PARTS * PART, PROT_READ | PROT_WRITE,
		      MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	CHECK(memory != MAP_FAILED);
	for (i = 0; i < PARTS; i++)
		target_fill(part(i), PART, i);
	CHECK(!madvise(part(WIPED), PART, MADV_WIPEONFORK));
	CHECK(!madvise(part(NOT_FORKED), PART, MADV_DONTFORK));
	CHECK(!madvise(part(NOT_DUMPED), 2 * PART, MADV_DONTDUMP));
	CHECK(!madvise(part(WIPED_NOT_DUMPED), PART, MADV_WIPEONFORK));
	target_overwrites(memory, PARTS * PART);
	check_flags();
	target_prepare();

	check_flags();
	check_memory();

	/* The child's own contents are wiped in what it forks. */
	target_fill(part(WIPED), PART, 7);
	target_fill(part(WIPED_NOT_DUMPED), PART, 8);
	pid = fork();
	CHECK(pid >= 0);
	if (!pid) {
		check_flags();
		check_memory();
		_exit(0);
	}
	CHECK_ENDS_WELL(pid);
	CHECK_EQ(target_differs(part(WIPED), 0, PART, 7), -1);
	CHECK_EQ(target_differs(part(WIPED_NOT_DUMPED), 0, PART, 8), -1);
	CHECK(!has_flag(populated, "wf"));
	for (i = 0; i < (int)(POPULATED / PAGE); i++)
		CHECK_EQ(populated[i * PAGE], 1);
	return 0;
}

#endif /* TESTS_TARGETS_FLAGGED_MEMORY_H */
