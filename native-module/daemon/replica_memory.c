// SPDX-License-Identifier: Apache-2.0
#define _GNU_SOURCE
#include "daemon/replica_memory.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

int replica_memory_open(pid_t pid)
{
	char path[32];
	int fd;

	snprintf(path, sizeof(path), "/proc/%d/mem", pid);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	return fd < 0 ? -errno : fd;
}

/* The VMA that holds an address, or NULL. */
static const struct descriptor_vma *find_vma(const struct descriptor_header *d,
					     uint64_t address)
{
	const struct descriptor_vma *vmas = descriptor_vmas(d);
	uint32_t low = 0, high = d->vma_count;

	while (low < high) {
		uint32_t middle = low + (high - low) / 2;

		if (vmas[middle].end <= address)
			low = middle + 1;
		else
			high = middle;
	}
	return low < d->vma_count && vmas[low].start <= address ? &vmas[low] : NULL;
}

uint64_t replica_memory_read(int file, const struct descriptor_header *d,
			     uint64_t address, uint64_t length, void *bytes)
{
	const struct descriptor_vma *v = find_vma(d, address);
	ssize_t n;

	/* What else it maps is its own: of a file, or an object that its children share. */
	if (!v || v->kind != VMA_SNAPSHOT || descriptor_is_object(v))
		return 0;
	if (length > v->end - address)
		length = v->end - address;
	/* Unlike process_vm_readv(2), it fails where a page comes by userfaultfd. */
	n = pread(file, bytes, length, address);
	return n > 0 ? n & ~(d->page_size - 1) : 0;
}
