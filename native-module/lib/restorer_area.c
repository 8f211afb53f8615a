// SPDX-License-Identifier: Apache-2.0
#define _GNU_SOURCE
#include "lib/restorer_area.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <sys/mman.h>

#include "lib/kernel_vmas.h"

/* Addresses tried for the restorer area, away from programs and stacks. */
#define RESTORER_FIRST 0x10000000000ull
#define RESTORER_STEP  0x1000000000ull
#define RESTORER_LAST  0x600000000000ull

static bool parent_uses(const struct descriptor_header *d, uint64_t start,
			uint64_t end)
{
	const struct descriptor_vma *vmas = descriptor_vmas(d);
	uint32_t i;

	for (i = 0; i < d->vma_count; i++)
		if (vmas[i].start < end + RESTORER_DISTANCE && vmas[i].end > start)
			return true;
	return false;
}

char *restorer_area_map(const struct descriptor_header *parent, uint64_t size)
{
	uint64_t at;

	for (at = RESTORER_FIRST; at < RESTORER_LAST; at += RESTORER_STEP) {
		void *p;

		if (parent_uses(parent, at, at + size))
			continue;
		p = mmap((void *)at, size, PROT_READ | PROT_WRITE | PROT_EXEC,
			 MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0);
		if (p == (void *)at)
			return p;
		if (p != MAP_FAILED)
			munmap(p, size);
		else if (errno == EACCES)
			return NULL;
	}
	errno = ENOMEM;
	return NULL;
}

static int compare_ranges(const void *a, const void *b)
{
	const struct restore_range *x = a, *y = b;

	return (x->start > y->start) - (x->start < y->start);
}

void restorer_area_plan_gaps(struct restore_plan *plan)
{
	struct restore_range kept[1 + KERNEL_VMAS_MAX];
	uint32_t count = 1, i;
	uint64_t at = 0;

	kept[0] = (struct restore_range){ plan->restorer,
					  plan->restorer + plan->restorer_size };
	for (i = 0; !plan->park && i < plan->kernel_vma_count; i++)
		kept[count++] = (struct restore_range){
			plan->kernel_vmas[i].start,
			plan->kernel_vmas[i].start + plan->kernel_vmas[i].length,
		};
	qsort(kept, count, sizeof(kept[0]), compare_ranges);
	for (i = 0; i <= count; i++) {
		uint64_t end = i < count ? kept[i].start : USER_MEMORY_END;

		if (end > at)
			plan->gaps[plan->gap_count++] =
				(struct restore_range){ at, end };
		at = i < count ? kept[i].end : at;
	}
}
