// SPDX-License-Identifier: Apache-2.0
#define _GNU_SOURCE
#include "lib/shared_memory.h"

#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/uio.h>
#include <unistd.h>

#include "lib/cursor.h"
#include "lib/error.h"
#include "lib/own_files.h"
#include "lib/procmap_query.h"
#include "paging/raw_syscall.h"

#define NAME_SIZE 4096

/* The kernel reads it: another thread may unmap it meanwhile. */
static bool is_arena(uint64_t start, uint64_t end)
{
	uint64_t magic = 0;
	struct iovec to = { &magic, sizeof(magic) };
	struct iovec from = { (void *)start, sizeof(magic) };

	return end - start == offsetof(struct shadow_arena, stack) &&
	       raw_syscall(SYS_process_vm_readv, raw_syscall(SYS_getpid), &to, 1,
			   &from, 1, 0) == sizeof(magic) &&
	       magic == SHADOW_ARENA_MAGIC;
}

bool shared_memory_is_own(uint64_t start, uint64_t end, const char *name)
{
	return starts_with(name, "/memfd:mitosis-registry") ||
	       (starts_with(name, "/dev/zero (deleted)") && is_arena(start, end));
}

static bool has_file(const char *name)
{
	static const char deleted[] = " (deleted)";
	const size_t suffix = sizeof(deleted) - 1;
	size_t n = strlen(name);

	return name[0] == '/' && (n < suffix || strcmp(name + n - suffix, deleted));
}

/* The next shared VMA from `address` on, with its name if there is room for that. 0 or -errno. */
static int next_shared(int maps, uint64_t address, char *name,
		       struct procmap_query *found)
{
	*found = (struct procmap_query){
		.size = sizeof(*found),
		.query_flags = PROCMAP_QUERY_COVERING_OR_NEXT_VMA |
			       PROCMAP_QUERY_VMA_SHARED,
		.query_addr = address,
		.vma_name_size = name ? NAME_SIZE : 0,
		.vma_name_addr = (uintptr_t)name,
	};
	return ioctl(maps, PROCMAP_QUERY, found) ? -errno : 0;
}

/*
 * 1, 0 or -errno for the shared VMA in *q, which is read again. Not a part of query(), whose
 * frame is small: after a fork each page of the stack that is written is copied.
 */
static __attribute__((noinline)) int is_without_file(int maps,
						     struct procmap_query *q)
{
	char name[NAME_SIZE];
	int err = next_shared(maps, q->vma_start, name, q);

	if (err)
		return err;
	return !q->vma_name_size ||
	       (!has_file(name) &&
		!shared_memory_is_own(q->vma_start, q->vma_end, name));
}

/*
 * Asks for each shared VMA, and for the names of those that are not the device's: to make one
 * takes longer than to find it. 0, 1 or -errno.
 */
static int query(int maps, const struct shadow_arena *arena)
{
	struct procmap_query q = { 0 };

	for (;;) {
		int err = next_shared(maps, q.vma_end, NULL, &q);

		if (err)
			return err == -ENOENT ? 0 : err;
		if (arena && (q.vma_start == (uintptr_t)arena ||
			      q.vma_start == arena->registry))
			continue;
		err = is_without_file(maps, &q);
		if (err)
			return err;
	}
}

/* Before Linux 6.11. */
static bool read_maps(void)
{
	FILE *maps = fopen("/proc/self/maps", "re");
	char *line = NULL;
	size_t size = 0;
	bool found = false;
	ssize_t n;

	if (!maps)
		return true;
	while (!found && (n = getline(&line, &size, maps)) > 0) {
		unsigned long start, end;
		char flags[5] = "";
		int name = 0;

		line[n - 1] = '\0';
		if (sscanf(line, "%lx-%lx %4s %*x %*s %*u %n", &start, &end, flags,
			   &name) == 3 &&
		    flags[3] == 's')
			found = !has_file(line + name) &&
				!shared_memory_is_own(start, end, line + name);
	}
	free(line);
	fclose(maps);
	return found;
}

bool shared_memory_exists(int *maps, const struct shadow_arena *arena)
{
	int found;

	if (*maps < 0) {
		*maps = open("/proc/self/maps", O_RDONLY | O_CLOEXEC);
		own_files_note(*maps);
	}
	found = query(*maps, arena);
	return found < 0 ? read_maps() : found;
}

int shared_memory_refused(const struct shadow_refusal *refusal)
{
	switch (refusal->cause) {
	case REFUSED_TOO_MUCH:
		return fail(-EFBIG,
			    "this process shares %llu MiB of memory without a file, "
			    "up to '%s', and a snapshot copies at most %u MiB; "
			    "raise MITOSIS_SHARED_MIB, or unmap it before prepare",
			    (unsigned long long)(refusal->size + (1u << 20) - 1) >>
				    20,
			    refusal->name, refusal->limit_mib);
	case REFUSED_FOREIGN:
		return fail(-EOPNOTSUPP,
			    "this process has mapped '%s', which a snapshot cannot "
			    "copy; unmap it before prepare",
			    refusal->name);
	case REFUSED_SERVED:
		return fail(
			-EOPNOTSUPP,
			"a userfaultfd of this process serves its memory at %#llx, "
			"and forked processes would read zeros there; open it with "
			"UFFD_FEATURE_EVENT_FORK, or unregister the memory before "
			"prepare",
			(unsigned long long)refusal->size);
	default:
		return fail(-EIO,
			    "the shared memory '%s' cannot be copied: its pages "
			    "cannot be read",
			    refusal->name);
	}
}
