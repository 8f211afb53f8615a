// SPDX-License-Identifier: Apache-2.0
/*
 * fork after resume: grandchildren and theirs read the parent's bytes that
 * no process has fetched yet, and zeros where the child had unmapped before.
 */
#define _GNU_SOURCE
#include <sys/mman.h>
#include <sys/wait.h>

#include "tests/targets/target.h"

#define SIZE (4 * MIB)

static char *kept, *changed, *spare;

static void check_memory(size_t offset)
{
	CHECK_EQ(target_differs(kept, offset, MIB, 1), -1);
	CHECK_EQ(target_differs(changed, 0, MIB, 3), -1);
	CHECK_EQ(target_not_zero(changed + MIB, MIB), -1);
	CHECK_EQ(target_not_zero(changed + 2 * MIB, MIB), -1);
	CHECK_EQ(*(uint64_t *)(spare + PAGE), target_word(2, (3 * MIB + PAGE) / 8));
}

static void be_grandchild(void)
{
	pid_t pid = fork();

	if (pid == 0) {
		pid_t last = fork();

		if (last == 0) {
			check_memory(3 * MIB);
			_exit(0);
		}
		/* What this one changes shows in no other process. */
		CHECK(!madvise(kept, SIZE, MADV_DONTNEED));
		CHECK_EQ(target_not_zero(kept, SIZE), -1);
		CHECK_ENDS_WELL(last);
		_exit(0);
	}
	check_memory(MIB);
	CHECK_ENDS_WELL(pid);
	check_memory(2 * MIB);
	_exit(0);
}

int main(void)
{
	pid_t pids[8];
	int i;

	kept = mmap(NULL, SIZE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS,
		    -1, 0);
	changed = mmap(NULL, SIZE, PROT_READ | PROT_WRITE,
		       MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	spare = mmap(NULL, MIB, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	CHECK(kept != MAP_FAILED && changed != MAP_FAILED && spare != MAP_FAILED);
	target_fill(kept, SIZE, 1);
	target_fill(changed, SIZE, 2);
	target_overwrites(kept, SIZE);
	target_overwrites(changed, SIZE);
	target_prepare();

	target_fill(changed, MIB, 3);
	CHECK(!munmap(changed + MIB, MIB));
	CHECK(mmap(changed + MIB, MIB, PROT_READ | PROT_WRITE,
		   MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0) == changed + MIB);
	CHECK(!madvise(changed + 2 * MIB, MIB, MADV_DONTNEED));
	CHECK(mremap(changed + 3 * MIB, MIB, MIB, MREMAP_MAYMOVE | MREMAP_FIXED,
		     spare) == spare);
	for (i = 0; i < 8; i++) {
		pids[i] = fork();
		CHECK(pids[i] >= 0);
		if (pids[i] == 0)
			be_grandchild();
	}
	for (i = 0; i < 8; i++)
		CHECK_ENDS_WELL(pids[i]);
	check_memory(0);
	target_child_has("the snapshot, in what a child forks", "kept");
	return 0;
}
