// SPDX-License-Identifier: Apache-2.0
/*
 * A child prepares itself and is resumed in turn: its child sees what it wrote
 * and, through it, what it never fetched from the first parent. The generation
 * after that as well. On the kernel module one is eager, of a sparse terabyte.
 */
#include <sys/mman.h>

#include "tests/targets/descend.h"

#define SIZE	    (4 * MIB)
#define SPARSE	    (1ul << 40)
#define GENERATIONS 3
#define EAGER	    2

static char *m, *untouched, *dropped, *sparse;

/* Goes on as a child of a snapshot of this process; the caller's part ends here. */
static void descend(uint32_t handler_id, const char *mode)
{
	struct mitosis *device;
	uint64_t page[PAGE / 8];

	CHECK_EQ(mitosis_open(target_backend(), &device), 0);
	CHECK_EQ(mitosis_prepare(device, handler_id), 0);
	if (mitosis_nil(device)) {
		CHECK_EQ(mitosis_nil(device), -EBADF);
		mitosis_close(device);
		return;
	}
	/* The module does not let callers read a snapshot. */
	if (target_backend() != MITOSIS_BACKEND_KERNEL) {
		CHECK_EQ(mitosis_read(device, handler_id,
				      (uintptr_t)(untouched + MIB), page, PAGE),
			 0);
		CHECK_EQ(page[0], target_word(2, MIB / 8));
	}
	target_fill(m, SIZE, 0xee);
	memset(dropped, 0xee, SIZE);
	descend_to_child(device, handler_id, mode);
}

/* Guards keep the kernel from merging what differs in what is fetched. */
static char *map(void)
{
	char *p = mmap(NULL, SIZE + 2 * PAGE, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS,
		       -1, 0);

	CHECK(p != MAP_FAILED);
	CHECK(!mprotect(p + PAGE, SIZE, PROT_READ | PROT_WRITE));
	return p + PAGE;
}

int main(void)
{
	const bool kernel = target_backend() == MITOSIS_BACKEND_KERNEL;
	uint64_t generation;

	m = map();
	untouched = map();
	dropped = map();
	sparse = mmap(NULL, SPARSE, PROT_READ | PROT_WRITE,
		      MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	CHECK(sparse != MAP_FAILED);
	target_fill(sparse + SPARSE / 2, PAGE, 4);
	target_fill(m, SIZE, 1);
	target_fill(untouched, SIZE, 2);
	target_fill(dropped, SIZE, 3);
	target_prepare();

	CHECK(!madvise(dropped, SIZE / 2, MADV_DONTNEED));
	/* Present again, in the child of the first parent. */
	CHECK_EQ(target_not_zero(dropped, MIB / 2), -1);
	for (generation = 1; generation <= GENERATIONS; generation++) {
		/* A quarter in each generation; the rest is never fetched here. */
		size_t part = generation * MIB;

		target_fill(m, part, 10 + generation);
		sparse[generation * PAGE] = generation;
		descend(generation << 16 | (getpid() & 0xffff),
			kernel && generation == EAGER ? "eager" : "lazy");
		CHECK_EQ(target_differs(m, 0, part, 10 + generation), -1);
		CHECK_EQ(target_differs(m, part, SIZE - part, 1), -1);
	}
	CHECK_EQ(target_differs(sparse + SPARSE / 2, 0, PAGE, 4), -1);
	CHECK_EQ(sparse[EAGER * PAGE], EAGER);
	CHECK_EQ(target_not_zero(sparse + SPARSE / 4, MIB), -1);
	/* But for that, no generation has touched these before the last. */
	CHECK_EQ(target_differs(untouched, 0, SIZE, 2), -1);
	CHECK_EQ(target_not_zero(dropped, SIZE / 2), -1);
	CHECK_EQ(target_differs(dropped, SIZE / 2, SIZE / 2, 3), -1);
	target_child_has("what a child has changed, for its own children", "kept");
	return 0;
}
