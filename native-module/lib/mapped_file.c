// SPDX-License-Identifier: Apache-2.0
/* Runs in shadows, too, up to mapped_file_open(): no libc, no globals. */
#define _GNU_SOURCE
#include "lib/mapped_file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

#include "paging/raw_syscall.h"

#define PAGE_SIZE 4096u

static uint32_t major_of(uint64_t device)
{
	return (device >> 8 & 0xfff) | (device >> 32 & 0xfffff000);
}

static uint32_t minor_of(uint64_t device)
{
	return (device & 0xff) | (device >> 12 & 0xffffff00);
}

static bool is_mapped_file(const struct descriptor_vma *vma, const struct stat *st)
{
	return S_ISREG(st->st_mode) && st->st_ino == vma->inode &&
	       major_of(st->st_dev) == vma->device_major &&
	       minor_of(st->st_dev) == vma->device_minor;
}

static uint64_t version_of(const struct stat *st)
{
	const struct descriptor_time written = { st->st_mtim.tv_sec,
						 st->st_mtim.tv_nsec };
	const struct descriptor_time changed = { st->st_ctim.tv_sec,
						 st->st_ctim.tv_nsec };

	return descriptor_file_version(st->st_size, written, changed);
}

uint64_t mapped_file_version(const struct descriptor_vma *vma, const char *path)
{
	struct stat st;
	long err = raw_syscall(SYS_newfstatat, AT_FDCWD, path, &st, 0);

	if (err)
		return err == -ENOENT || err == -ENOTDIR ? DESCRIPTOR_FILE_GONE
							 : DESCRIPTOR_FILE_UNKNOWN;
	return is_mapped_file(vma, &st) ? version_of(&st) : DESCRIPTOR_FILE_GONE;
}

/*
 * Returns a descriptor with O_PATH, which neither reads nor waits, of the regular file
 * that was mapped; else a negative number.
 */
static int find_file(const struct descriptor_header *d,
		     const struct descriptor_vma *vma)
{
	const char *path = descriptor_string(d, vma->name);
	long fd = raw_open(path, O_PATH | O_CLOEXEC);
	struct stat st;

	if (fd >= 0 &&
	    (raw_syscall(SYS_fstat, fd, &st) || !is_mapped_file(vma, &st) ||
	     !descriptor_same_version(vma, version_of(&st)))) {
		raw_syscall(SYS_close, fd);
		fd = -1;
	}
	return fd;
}

/* Copies what can be read: behind the file's end nothing can. */
static bool copy_readable(uint64_t from, uint64_t to, uint64_t size)
{
	const long self = raw_syscall(SYS_getpid);
	uint64_t done = 0;

	raw_syscall(SYS_mprotect, from, size, PROT_READ);
	while (done < size) {
		struct iovec local = { (void *)(to + done), size - done };
		struct iovec remote = { (void *)(from + done), size - done };
		long n = raw_syscall(SYS_process_vm_readv, self, &local, 1, &remote,
				     1, 0);

		if (n == -EFAULT)
			n = PAGE_SIZE;
		if (n <= 0)
			return false;
		done += n;
	}
	return true;
}

/* Replaces a mapping by a private copy of its bytes. */
static bool make_private(const struct descriptor_vma *vma)
{
	uint64_t size = vma->end - vma->start;
	long p = raw_syscall(SYS_mmap, 0, size, PROT_READ | PROT_WRITE,
			     MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

	if (p < 0 && p > -4096)
		return false;
	return copy_readable(vma->start, p, size) &&
	       !raw_syscall(SYS_mprotect, p, size, vma->protection) &&
	       raw_syscall(SYS_mremap, p, size, size, MREMAP_MAYMOVE | MREMAP_FIXED,
			   vma->start) == (long)vma->start;
}

bool mapped_files_leave_foreign(const struct descriptor_header *d)
{
	const struct descriptor_vma *vmas = descriptor_vmas(d);
	uint32_t i;

	for (i = 0; i < d->vma_count; i++) {
		int fd;

		if (vmas[i].kind != VMA_FILE || !(vmas[i].map_flags & MAP_SHARED))
			continue;
		fd = find_file(d, &vmas[i]);
		if (fd >= 0)
			raw_syscall(SYS_close, fd);
		else if (!make_private(&vmas[i]))
			return false;
	}
	return true;
}

bool mapped_file_is_written(const struct descriptor_vma *vma)
{
	return vma->map_flags & MAP_SHARED && vma->protection & PROT_WRITE;
}

int mapped_file_open(const struct descriptor_header *d,
		     const struct descriptor_vma *vma)
{
	int found = find_file(d, vma), fd;
	char path[64];

	if (found < 0)
		return -1;
	/* O_NONBLOCK: not even for the end of a lease. */
	snprintf(path, sizeof(path), "/proc/self/fd/%d", found);
	fd = open(path, (mapped_file_is_written(vma) ? O_RDWR : O_RDONLY) |
				O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
	close(found);
	return fd;
}
