// SPDX-License-Identifier: Apache-2.0
/*
 * Guard pages by madvise(2): touching one raises a signal in a child as well, and the
 * pages beside it have their bytes.
 */
#include <signal.h>
#include <sys/mman.h>

#include "tests/targets/readable.h"
#include "tests/targets/target.h"

/* Linux 6.13. */
#define GUARD_INSTALL 102

#define GUARDED 5

int main(void)
{
	struct sigaction action = { .sa_handler = leave };
	char *m = mmap(NULL, MIB, PROT_READ | PROT_WRITE,
		       MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	CHECK(m != MAP_FAILED);
	target_fill(m, MIB, 1);
	if (madvise(m + GUARDED * PAGE, PAGE, GUARD_INSTALL))
		target_skip("MADV_GUARD_INSTALL (Linux 6.13)");
	CHECK(!sigaction(SIGSEGV, &action, NULL));
	CHECK(!sigaction(SIGBUS, &action, NULL));
	CHECK(!readable(m + GUARDED * PAGE));
	target_prepare();

	CHECK(!readable(m + GUARDED * PAGE));
	CHECK_EQ(target_differs(m, 0, GUARDED * PAGE, 1), -1);
	CHECK_EQ(target_differs(m, (GUARDED + 1) * PAGE, MIB - (GUARDED + 1) * PAGE,
				1),
		 -1);
	CHECK(!readable(m + GUARDED * PAGE + 1));
	target_child_has("guard pages (MADV_GUARD_INSTALL)", "kept");
	return 0;
}
