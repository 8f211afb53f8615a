// SPDX-License-Identifier: Apache-2.0
/*
 * Huge pages of the kernel's pool (hugetlbfs): a child has their bytes. Where the pool has no free
 * page left, the parent's writes take pages from the snapshot, and a child that reads them
 * gets SIGBUS: never zeros, nor what the parent has written.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <sys/mman.h>

#include "tests/targets/target.h"

#define POOL "/proc/sys/vm/nr_hugepages"
#define HUGE (2 * MIB)
#define SIZE (2 * HUGE)

static sigjmp_buf back;

static void leave(int signal)
{
	(void)signal;
	siglongjmp(back, 1);
}

static long read_pool(void)
{
	FILE *f = fopen(POOL, "re");
	long pages = -1;

	if (!f || fscanf(f, "%ld", &pages) != 1)
		target_skip("huge pages (" POOL ")");
	fclose(f);
	return pages;
}

static bool set_pool(long pages)
{
	char text[32];
	int fd = open(POOL, O_WRONLY | O_CLOEXEC);
	int length = snprintf(text, sizeof(text), "%ld", pages);
	bool done = fd >= 0 && write(fd, text, length) == length;

	if (fd >= 0)
		close(fd);
	return done && read_pool() == pages;
}

/* Once the parent has written: those in use are freed when their last process ends. */
static void give_back(void)
{
	set_pool(0);
}

static char *map_huge(void)
{
	char *m = mmap(NULL, SIZE, PROT_READ | PROT_WRITE,
		       MAP_PRIVATE | MAP_ANONYMOUS | MAP_HUGETLB, -1, 0);

	return m == MAP_FAILED ? NULL : m;
}

int main(void)
{
	const struct sigaction action = { .sa_handler = leave };
	const long before = read_pool();
	char *first, *second;
	volatile size_t at;

	if (before)
		target_skip("a pool of huge pages that nobody uses (" POOL ")");
	/* For both, and for the copies of the first one. */
	if (!set_pool(3 * SIZE / HUGE)) {
		set_pool(0);
		target_skip("6 huge pages, and the right to take them (" POOL ")");
	}
	first = map_huge();
	second = map_huge();
	if (first && second) {
		target_fill(first, SIZE, 5);
		target_fill(second, SIZE, 6);
	}
	CHECK(first && second);
	target_overwrites(first, SIZE);
	target_overwrites(second, SIZE);
	target_spoils = give_back;
	CHECK(!sigaction(SIGBUS, &action, NULL));
	target_prepare();
	for (at = 0; at < SIZE; at += PAGE)
		CHECK_EQ(target_differs(first, at, PAGE, 5), -1);
	for (at = 0; at < SIZE; at += PAGE)
		if (!sigsetjmp(back, 1))
			CHECK_EQ(target_differs(second, at, PAGE, 6), -1);
	target_child_has("huge pages of the pool (hugetlbfs)", "kept");
	return 0;
}
