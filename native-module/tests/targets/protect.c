// SPDX-License-Identifier: Apache-2.0
/*
 * mprotect, before prepare and after resume: a forbidden write raises SIGSEGV,
 * whose handler allows it; contents survive.
 */
#include <signal.h>
#include <sys/mman.h>

#include "tests/targets/target.h"

static char *m;
static volatile int faults;

static void allow(int signal, siginfo_t *info, void *context)
{
	char *page = (char *)((uintptr_t)info->si_addr & ~(PAGE - 1));

	(void)signal, (void)context;
	faults++;
	if (page < m || page >= m + MIB ||
	    mprotect(page, PAGE, PROT_READ | PROT_WRITE))
		_exit(1);
}

int main(void)
{
	struct sigaction action = { .sa_sigaction = allow, .sa_flags = SA_SIGINFO };

	m = mmap(NULL, MIB, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1,
		 0);
	CHECK(m != MAP_FAILED);
	target_fill(m, MIB, 1);
	CHECK(!mprotect(m, MIB / 2, PROT_READ));
	CHECK(!sigaction(SIGSEGV, &action, NULL));
	target_prepare();

	/* Read-only since before prepare: one page there, one not. */
	CHECK_EQ(target_differs(m, 3 * PAGE, PAGE, 1), -1);
	CHECK_EQ(faults, 0);
	((volatile char *)m)[3 * PAGE] ^= 1;
	CHECK_EQ(faults, 1);
	((volatile char *)m)[100 * PAGE] ^= 0;
	CHECK_EQ(faults, 2);
	CHECK_EQ(target_differs(m, 100 * PAGE, PAGE, 1), -1);
	CHECK_EQ(target_differs(m, 4 * PAGE, MIB / 2 - 4 * PAGE, 1), -1);
	CHECK_EQ(faults, 2);

	/* Made read-only by the child while its pages are still missing. */
	CHECK(!mprotect(m + MIB / 2, MIB / 2, PROT_READ));
	((volatile char *)m)[MIB - PAGE] ^= 0;
	CHECK_EQ(faults, 3);
	CHECK_EQ(target_differs(m, MIB / 2, MIB / 2, 1), -1);
	CHECK(!mprotect(m, MIB, PROT_READ | PROT_WRITE));
	target_fill(m, MIB, 2);
	CHECK_EQ(faults, 3);
	target_child_has("protection of memory", "kept");
	return 0;
}
