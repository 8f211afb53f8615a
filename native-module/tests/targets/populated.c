// SPDX-License-Identifier: Apache-2.0
/*
 * A child has the kernel fetch its memory instead of touching it: by MADV_POPULATE_READ and
 * _WRITE, MADV_WILLNEED, MADV_COLLAPSE, mlock2 and mlockall.
 */
#define _GNU_SOURCE
#include <sys/mman.h>

#include "tests/targets/target.h"

#define SIZE (4 * MIB)
#define PART (SIZE / 2)

/* Linux 6.1. */
#ifndef MADV_COLLAPSE
#define MADV_COLLAPSE 25
#endif
/* Linux 5.14. */
#ifndef MADV_POPULATE_READ
#define MADV_POPULATE_READ  22
#define MADV_POPULATE_WRITE 23
#endif

enum { READ, WRITE, NEED, COLLAPSE, ON_FAULT, ALL, WAYS };

/* At a huge page's boundary. */
static char *map(unsigned int seed)
{
	char *m = mmap(NULL, SIZE + 2 * MIB, PROT_READ | PROT_WRITE,
		       MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	CHECK(m != MAP_FAILED);
	m = (char *)(((uintptr_t)m + 2 * MIB - 1) & ~(2 * MIB - 1));
	/* The other half is empty. */
	target_fill(m, PART, seed);
	return m;
}

/* Older kernels do not know it, a limit may forbid it; nothing else may fail. */
static void may(int result)
{
	CHECK(!result || errno == EINVAL || errno == EPERM || errno == ENOMEM ||
	      errno == EAGAIN);
}

int main(void)
{
	char *m[WAYS];
	int i;

	for (i = 0; i < WAYS; i++)
		m[i] = map(i + 1);
	target_prepare();

	may(madvise(m[READ], SIZE, MADV_POPULATE_READ));
	may(madvise(m[WRITE], SIZE, MADV_POPULATE_WRITE));
	may(madvise(m[NEED], SIZE, MADV_WILLNEED));
	may(madvise(m[COLLAPSE], SIZE, MADV_COLLAPSE));
	may(mlock2(m[ON_FAULT], SIZE, MLOCK_ONFAULT));
	may(mlockall(MCL_CURRENT | MCL_FUTURE));
	for (i = 0; i < WAYS; i++) {
		CHECK_EQ(target_differs(m[i], 0, PART, i + 1), -1);
		CHECK_EQ(target_not_zero(m[i] + PART, PART), -1);
	}
	may(munlockall());
	return 0;
}
