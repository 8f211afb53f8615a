// SPDX-License-Identifier: Apache-2.0
/* Runs in shadows and replicas, too: no libc, no globals. */
#define _GNU_SOURCE
#include "lib/clone_area.h"

#include <stdbool.h>
#include <sys/mman.h>

#include "paging/raw_syscall.h"

/* Addresses that are tried, each once. Where it lies at none, a clone has no report. */
#define AREA_FIRST RAW_MAP_HINT(RAW_MAP_CLONE)
#define AREA_STEP  0x10000000000ul
#define AREA_LAST  0x600000000000ul

static bool is_place(uint64_t address)
{
	return address >= AREA_FIRST && address < AREA_LAST &&
	       (address - AREA_FIRST) % AREA_STEP == 0;
}

static long map_at(uint64_t address, size_t size)
{
	return raw_syscall(SYS_mmap, address, size, PROT_READ | PROT_WRITE,
			   MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
}

void *clone_area_map(size_t size)
{
	uint64_t at = AREA_FIRST;
	long p = map_at(at, size);

	while (p > 0 && (uint64_t)p != at && at + AREA_STEP < AREA_LAST) {
		raw_syscall(SYS_munmap, p, size);
		at += AREA_STEP;
		p = map_at(at, size);
	}
	return p < 0 && p > -4096 ? NULL : (void *)p;
}

const struct restore_plan *clone_area_plan(uint64_t start)
{
	const struct restore_plan *plan = (void *)start;

	return is_place(start) && plan->magic == RESTORE_PLAN_MAGIC &&
			       plan->restorer == start
		       ? plan
		       : NULL;
}
