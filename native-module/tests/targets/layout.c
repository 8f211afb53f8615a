// SPDX-License-Identifier: Apache-2.0
/*
 * A parent whose address space is laid out another way than its children's callers have theirs:
 * mappings from the bottom up, an unlimited stack, nothing randomized, all memory executable
 * (personality(2), setarch -L -R -X). It starts itself again for that.
 */
#define _GNU_SOURCE
#include <sys/mman.h>
#include <sys/personality.h>
#include <sys/resource.h>

#include "tests/targets/target.h"

#define SIZE	(4 * MIB)
#define DEPTH	4000
#define VARIANT (ADDR_COMPAT_LAYOUT | ADDR_NO_RANDOMIZE)

static void start_again(char **argv)
{
	struct rlimit stack;

	CHECK(!getrlimit(RLIMIT_STACK, &stack));
	stack.rlim_cur = stack.rlim_max;
	CHECK(!setrlimit(RLIMIT_STACK, &stack));
	CHECK(personality(VARIANT) >= 0);
	CHECK(!setenv("MITOSIS_TEST_LAID_OUT", "1", 1));
	execv("/proc/self/exe", argv);
	CHECK(false);
}

static long __attribute__((noinline)) descend(long depth)
{
	volatile char frame[PAGE];

	frame[0] = depth;
	frame[sizeof(frame) - 1] = 1;
	return depth ? descend(depth - 1) + frame[sizeof(frame) - 1] : 0;
}

static char *map(void)
{
	char *m = mmap(NULL, SIZE, PROT_READ | PROT_WRITE,
		       MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	CHECK(m != MAP_FAILED);
	return m;
}

int main(int argc, char **argv)
{
	/* mov $42, %eax; ret */
	static const unsigned char code[] = { 0xb8, 42, 0, 0, 0, 0xc3 };
	int (*function)(void);
	char *first, *m, *heap;

	(void)argc;
	if (!getenv("MITOSIS_TEST_LAID_OUT"))
		start_again(argv);
	first = map();
	CHECK(personality(VARIANT | READ_IMPLIES_EXEC) >= 0);
	m = map();
	/* From the bottom up. */
	if (m < first)
		target_skip("a kernel with ADDR_COMPAT_LAYOUT");
	target_fill(m, SIZE, 8);
	memcpy(m, code, sizeof(code));
	heap = malloc(PAGE);
	CHECK(heap);
	memset(heap, 'h', PAGE);
	target_overwrites(m, SIZE);
	target_prepare();

	function = (int (*)(void))(uintptr_t)m;
	CHECK_EQ(function(), 42);
	CHECK_EQ(target_differs(m, PAGE, SIZE - PAGE, 8), -1);
	CHECK(heap[0] == 'h' && heap[PAGE - 1] == 'h');
	CHECK_EQ(descend(DEPTH), DEPTH);
	CHECK(sbrk(SIZE) != (void *)-1);
	/* What is mapped next has a place as well. */
	target_fill(map(), SIZE, 9);
	return 0;
}
