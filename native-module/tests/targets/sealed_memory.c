// SPDX-License-Identifier: Apache-2.0
/*
 * Memory that mseal(2) has sealed, which programs rely on as a defence, is sealed in a
 * child, and has its pages.
 */
#define _GNU_SOURCE
#include <sys/mman.h>
#include <sys/syscall.h>

#include "tests/targets/target.h"

#ifndef SYS_mseal
#define SYS_mseal 462
#endif

static void check_sealed(char *m)
{
	CHECK(mprotect(m, PAGE, PROT_READ | PROT_WRITE | PROT_EXEC));
	CHECK_EQ(errno, EPERM);
	CHECK(munmap(m, PAGE));
	CHECK_EQ(errno, EPERM);
}

int main(void)
{
	char *m = mmap(NULL, MIB, PROT_READ | PROT_WRITE,
		       MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	CHECK(m != MAP_FAILED);
	target_fill(m, MIB, 1);
	CHECK(!mprotect(m + MIB / 2, MIB / 2, PROT_READ));
	if (syscall(SYS_mseal, m, MIB, 0))
		target_skip("mseal(2): Linux 6.10");
	target_prepare();

	CHECK_EQ(target_differs(m, 0, MIB, 1), -1);
	check_sealed(m);
	check_sealed(m + MIB / 2);
	m[1]++;
	target_child_has("sealed memory (mseal)", "kept");
	return 0;
}
