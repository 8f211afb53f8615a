/* SPDX-License-Identifier: Apache-2.0 */
/* Which CPU this process runs on. Without libc, for a shadow. */
#ifndef PAGING_RUN_ON_H
#define PAGING_RUN_ON_H

#include "paging/raw_syscall.h"

/* On one CPU only, or with -1 on every one. What the kernel does not know stays. */
static inline void run_on(int cpu)
{
	enum { BITS = 8 * sizeof(unsigned long), WORDS = 1024 / BITS };
	unsigned long mask[WORDS];
	int i;

	if (cpu >= WORDS * BITS)
		return;
	for (i = 0; i < WORDS; i++)
		mask[i] = cpu < 0 ? ~0ul : i == cpu / BITS ? 1ul << cpu % BITS : 0;
	raw_syscall(SYS_sched_setaffinity, 0, sizeof(mask), mask);
}

/* On these of the first 64 CPUs. */
static inline void run_on_first(unsigned long cpus)
{
	raw_syscall(SYS_sched_setaffinity, 0, sizeof(cpus), &cpus);
}

#endif /* PAGING_RUN_ON_H */
