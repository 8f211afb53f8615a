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

bool replica_memory_is_there(int file)
{
	char byte;

	/* Nothing is mapped at 0: an error, as long as there is a memory. */
	return file >= 0 && pread(file, &byte, 1, 0) != 0;
}

static uint64_t read_pages(int file, uint64_t address, uint64_t length,
			   uint64_t page_size, void *bytes)
{
	ssize_t n = pread(file, bytes, length, address);

	return n > 0 ? n & ~(page_size - 1) : 0;
}

uint64_t replica_memory_read(int file, const struct descriptor_header *d,
			     uint64_t address, uint64_t length, void *bytes)
{
	const struct descriptor_vma *v = descriptor_find_vma(d, address);

	/* What else it maps is its own: of a file, or an object that its children share. */
	if (!v || v->kind != VMA_SNAPSHOT || descriptor_is_object(v))
		return 0;
	if (length > v->end - address)
		length = v->end - address;
	/* Unlike process_vm_readv(2), it fails where a page comes by userfaultfd. */
	return read_pages(file, address, length, d->page_size, bytes);
}

uint64_t replica_memory_read_file(int file, const struct descriptor_vma *v,
				  uint64_t address, uint64_t page_size, void *bytes)
{
	return v->kind == VMA_FILE
		       ? read_pages(file, address, page_size, page_size, bytes)
		       : 0;
}
