// SPDX-License-Identifier: Apache-2.0
/* Thread-local variables, errno and the stack protector's canary are kept. */
#include "tests/targets/target.h"

static __thread int initialised = 42;
static __thread char zeroed[3 * PAGE];

int main(void)
{
	int *address = &initialised;
	uint64_t canary, after;

	initialised = 43;
	zeroed[2 * PAGE] = 7;
	__asm__ volatile("mov %%fs:0x28, %0" : "=r"(canary));
	target_overwrites(zeroed, sizeof(zeroed));
	errno = EXDEV;
	target_prepare();

	/* target_prepare() made a call that fails; set and read anew. */
	errno = EXDEV;
	CHECK_EQ(close(-1), -1);
	CHECK_EQ(errno, EBADF);
	CHECK(address == &initialised);
	CHECK_EQ(initialised, 43);
	CHECK_EQ(zeroed[2 * PAGE], 7);
	zeroed[2 * PAGE] = 0;
	CHECK_EQ(target_not_zero(zeroed, sizeof(zeroed)), -1);
	__asm__ volatile("mov %%fs:0x28, %0" : "=r"(after));
	CHECK_EQ(after, canary);
	target_child_has("thread-local memory", "kept");
	return 0;
}
