// SPDX-License-Identifier: Apache-2.0
#define _GNU_SOURCE
#include "lib/memory_limits.h"

#include <errno.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/resource.h>

#include "lib/error.h"
#include "proto/descriptor.h"

/* Of a child beside its parent's memory: the restorer's area, vdso, parked vdso. */
#define SLACK_BYTES (1u << 20)
#define SLACK_MAPS  16u
/* Mappings from which on the limit is read, whose default is 65530. */
#define MAP_COUNT_SAFE 60000u

/* As the kernel counts what is written: private, and not the stack. */
static int is_data(const struct descriptor_vma *vma)
{
	return vma->protection & PROT_WRITE && vma->map_flags & MAP_PRIVATE &&
	       !(vma->map_flags & MAP_GROWSDOWN);
}

void memory_need_of(const struct descriptor_header *descriptor, uint64_t size,
		    struct memory_need *need)
{
	const struct descriptor_process *p = &descriptor->state;
	const struct descriptor_vma *vmas = descriptor_vmas(descriptor);
	uint32_t i;

	*need = (struct memory_need){ size, 0, 0, 0, descriptor->vma_count };
	for (i = 0; i < descriptor->vma_count; i++) {
		uint64_t length = vmas[i].end - vmas[i].start;

		need->all += length;
		need->data += is_data(&vmas[i]) ? length : 0;
	}
	if (p->known & PROCESS_LIMITS) {
		need->all_limit = p->limits[RLIMIT_AS].soft;
		need->data_limit = p->limits[RLIMIT_DATA].soft;
	}
}

/* What process_state_limit() makes of it, or leaves: in bytes. */
static uint64_t available(int resource, uint64_t parents)
{
	struct rlimit limit;

	if (getrlimit(resource, &limit))
		return RLIM_INFINITY;
	if (parents > limit.rlim_max)
		parents = limit.rlim_max;
	return parents > limit.rlim_cur ? parents : limit.rlim_cur;
}

static int check_map_count(const struct memory_need *need, const char *what)
{
	FILE *sysctl = fopen("/proc/sys/vm/max_map_count", "re");
	unsigned int most = 0;

	if (sysctl) {
		if (fscanf(sysctl, "%u", &most) != 1)
			most = 0;
		fclose(sysctl);
	}
	return most && most < need->maps + SLACK_MAPS
		       ? fail(-ENOMEM,
			      "%s has %u mappings, and this process may have %u; "
			      "raise sysctl vm.max_map_count",
			      what, need->maps, most)
		       : 0;
}

int memory_limits_check(const struct memory_need *need, const char *what)
{
	uint64_t all = available(RLIMIT_AS, need->all_limit);
	uint64_t data = available(RLIMIT_DATA, need->data_limit);

	if (all < need->all + SLACK_BYTES)
		return fail(-ENOMEM,
			    "%s has %llu MiB of address space, and this process may "
			    "have %llu MiB; raise ulimit -v",
			    what, (unsigned long long)need->all >> 20,
			    (unsigned long long)all >> 20);
	if (data < need->data + SLACK_BYTES)
		return fail(
			-ENOMEM,
			"%s has %llu MiB of writable memory of its own, and this "
			"process may have %llu MiB; raise ulimit -d",
			what, (unsigned long long)need->data >> 20,
			(unsigned long long)data >> 20);
	return need->maps < MAP_COUNT_SAFE ? 0 : check_map_count(need, what);
}
