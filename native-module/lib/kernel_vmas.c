// SPDX-License-Identifier: Apache-2.0
#define _GNU_SOURCE
#include "lib/kernel_vmas.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "lib/sealed_memory.h"

/* Of the vdso and its data, of which each process has one of a name. */
struct own_vma {
	char name[16];
	uint64_t start, length;
};

/* Returns how many there are, or -EPERM, with a message, for memory that is sealed. */
static int list_own(struct own_vma own[KERNEL_VMAS_MAX])
{
	const bool may_be_sealed = sealed_memory_exists();
	FILE *maps = fopen("/proc/self/maps", "re");
	char line[4096 + 128];
	int count = 0;

	while (maps && count < KERNEL_VMAS_MAX && fgets(line, sizeof(line), maps)) {
		struct own_vma *vma = &own[count];
		unsigned long start, end;

		if (may_be_sealed && sealed_memory_is(line)) {
			fclose(maps);
			return sealed_memory_refuse(line);
		}
		if ((strstr(line, "[vdso]") || strstr(line, "[vvar")) &&
		    sscanf(line, "%lx-%lx %*s %*s %*s %*s %15s", &start, &end,
			   vma->name) == 3) {
			vma->start = start;
			vma->length = end - start;
			count++;
		}
	}
	if (maps)
		fclose(maps);
	return count;
}

static const struct own_vma *find(const struct own_vma *own, int count,
				  const char *name)
{
	int i;

	for (i = 0; i < count; i++)
		if (!strcmp(own[i].name, name))
			return &own[i];
	return NULL;
}

int kernel_vmas_plan(const struct descriptor_header *descriptor,
		     struct restore_plan *plan)
{
	const struct descriptor_vma *vmas = descriptor_vmas(descriptor);
	struct own_vma own[KERNEL_VMAS_MAX] = { 0 };
	int count = list_own(own);
	uint64_t hash = 0;
	uint32_t i;

	if (count < 0)
		return count;
	/* What the parent has unmapped, the child is left without. */
	for (i = 0; i < descriptor->vma_count; i++) {
		const char *name = descriptor_string(descriptor, vmas[i].name);
		const struct own_vma *vma;

		if (vmas[i].kind != VMA_KERNEL)
			continue;
		vma = find(own, count, name);
		if (!vma || vma->length != vmas[i].end - vmas[i].start ||
		    plan->kernel_vma_count == KERNEL_VMAS_MAX)
			return -EPROTO;
		if (!strcmp(name, "[vdso]"))
			hash = descriptor_hash((void *)vma->start, vma->length);
		plan->kernel_vmas[plan->kernel_vma_count].start = vma->start;
		plan->kernel_vmas[plan->kernel_vma_count++].length = vma->length;
	}
	return hash == descriptor->vdso_hash ? 0 : -EPROTO;
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
