// SPDX-License-Identifier: Apache-2.0
/*
 * PROT_NONE: touching a guard raises SIGSEGV in a child as well, and the
 * contents of memory that could not be read at prepare are there once the
 * child makes it readable.
 */
#include <signal.h>
#include <sys/mman.h>

#include "tests/targets/readable.h"
#include "tests/targets/target.h"

static char *map(int protection)
{
	char *m = mmap(NULL, MIB, protection, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	CHECK(m != MAP_FAILED);
	return m;
}

int main(void)
{
	char *locked = map(PROT_READ | PROT_WRITE), *fresh = map(PROT_NONE);
	struct sigaction action = { .sa_handler = leave };

	target_fill(locked, MIB, 1);
	CHECK(!mprotect(locked, MIB, PROT_NONE));
	CHECK(!sigaction(SIGSEGV, &action, NULL));
	target_prepare();

	CHECK(!readable(locked + 5 * PAGE));
	CHECK(!readable(fresh + 5 * PAGE));
	CHECK(!mprotect(locked, MIB, PROT_READ | PROT_WRITE));
	CHECK(!mprotect(fresh, MIB, PROT_READ | PROT_WRITE));
	CHECK_EQ(target_differs(locked, 0, MIB, 1), -1);
	CHECK_EQ(target_not_zero(fresh, MIB), -1);
	CHECK(!mprotect(locked, PAGE, PROT_NONE));
	CHECK(!readable(locked));
	CHECK(readable(locked + PAGE));
	target_child_has("memory without access (PROT_NONE)", "kept");
	return 0;
}
