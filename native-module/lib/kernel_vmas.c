// SPDX-License-Identifier: Apache-2.0
#define _GNU_SOURCE
#include "lib/kernel_vmas.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "lib/sealed_memory.h"

int kernel_vmas_plan(const struct descriptor_header *descriptor,
		     struct restore_plan *plan)
{
	const struct descriptor_vma *vmas = descriptor_vmas(descriptor);
	const bool may_be_sealed = sealed_memory_exists();
	FILE *maps = fopen("/proc/self/maps", "re");
	uint32_t own = 0, theirs = 0, i;
	char line[4096 + 128];
	uint64_t hash = 0;

	while (maps && fgets(line, sizeof(line), maps)) {
		unsigned long start, end;
		bool vdso = strstr(line, "[vdso]");

		if (may_be_sealed && sealed_memory_is(line)) {
			fclose(maps);
			return sealed_memory_refuse(line);
		}
		if (!vdso && !strstr(line, "[vvar"))
			continue;
		if (own == KERNEL_VMAS_MAX ||
		    sscanf(line, "%lx-%lx", &start, &end) != 2)
			break;
		if (vdso)
			hash = descriptor_hash((void *)start, end - start);
		plan->kernel_vmas[own].start = start;
		plan->kernel_vmas[own++].length = end - start;
	}
	if (maps)
		fclose(maps);
	for (i = 0; i < descriptor->vma_count; i++) {
		if (vmas[i].kind != VMA_KERNEL)
			continue;
		if (theirs >= own ||
		    plan->kernel_vmas[theirs].length != vmas[i].end - vmas[i].start)
			return -EPROTO;
		theirs++;
	}
	plan->kernel_vma_count = own;
	return theirs == own && hash == descriptor->vdso_hash ? 0 : -EPROTO;
}

uint64_t kernel_vmas_park_size(const struct descriptor_header *descriptor,
			       const struct restore_plan *plan)
{
	const struct descriptor_vma *vmas = descriptor_vmas(descriptor);
	uint64_t size = 0;
	bool in_the_way = false;
	uint32_t i, k;

	for (k = 0; k < plan->kernel_vma_count; k++) {
		uint64_t start = plan->kernel_vmas[k].start;
		uint64_t end = start + plan->kernel_vmas[k].length;

		size += end - start;
		for (i = 0; i < descriptor->vma_count; i++)
			if (vmas[i].start < end + RESTORER_DISTANCE &&
			    vmas[i].end > start)
				in_the_way = true;
	}
	return in_the_way ? size : 0;
}
