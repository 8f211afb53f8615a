// SPDX-License-Identifier: Apache-2.0
/* Runs in shadows and clones: no libc, no globals. */
#define _GNU_SOURCE
#include "lib/shared_copies.h"

#include <errno.h>
#include <fcntl.h>
#include <stddef.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

#include "lib/cursor.h"
#include "lib/mapped_file.h"
#include "paging/raw_syscall.h"

#define PAGE_SIZE 4096u
/* Read at once where a page's zeros are left out. */
#define BLOCK_SIZE (4 * PAGE_SIZE)

/* The kernel's names of memory that is no file: rings of devices, AIO contexts. */
static bool is_foreign(const char *name)
{
	return name[0] != '/' || starts_with(name, "/[aio]") ||
	       starts_with(name, "/dmabuf");
}

static int refuse(struct shadow_refusal *refusal, enum shadow_refusal_cause cause,
		  const char *name)
{
	unsigned int i;

	refusal->cause = cause;
	for (i = 0; i < sizeof(refusal->name) - 1 && name[i]; i++)
		refusal->name[i] = name[i];
	refusal->name[i] = '\0';
	return cause == REFUSED_TOO_MUCH ? -EFBIG : -EOPNOTSUPP;
}

/*
 * An object, or a private mapping of one, whose pages would show what the parent writes
 * to the object later.
 */
static bool is_taken(const struct vma_list *list, uint32_t index)
{
	const struct descriptor_vma *vma = &list->vmas[index];
	uint32_t i;

	if (vma->kind != VMA_SNAPSHOT || !vma->inode)
		return descriptor_is_object(vma);
	for (i = 0; i < list->count; i++)
		if (shared_object_maps(list, i, index))
			return true;
	return descriptor_is_object(vma);
}

static int measure(const struct vma_list *list, uint64_t *size,
		   struct shadow_refusal *refusal)
{
	const struct descriptor_vma *largest = NULL;
	uint32_t i;

	*size = 0;
	for (i = 0; i < list->count; i++) {
		const struct descriptor_vma *vma = &list->vmas[i];

		if (!is_taken(list, i))
			continue;
		if (is_foreign(shared_object_name(list, vma)))
			return refuse(refusal, REFUSED_FOREIGN,
				      shared_object_name(list, vma));
		*size += vma->end - vma->start;
		if (!largest ||
		    vma->end - vma->start > largest->end - largest->start)
			largest = vma;
	}
	refusal->size = *size;
	return *size > (uint64_t)refusal->limit_mib << 20
		       ? refuse(refusal, REFUSED_TOO_MUCH,
				shared_object_name(list, largest))
		       : 0;
}

/* The object itself; negative without the right to it. */
static long open_object(const struct descriptor_vma *vma)
{
	char link[MAPPED_FILE_LINK];

	mapped_file_link(vma, link);
	return raw_open(link, O_RDONLY | O_CLOEXEC);
}

/* What the object holds, without its holes. */
static int copy_data(long fd, const struct descriptor_vma *vma, uint64_t to,
		     uint64_t *object_size)
{
	const uint64_t begin = vma->offset, end = begin + (vma->end - vma->start);
	uint64_t at = begin;
	struct stat st;

	if (raw_syscall(SYS_fstat, fd, &st))
		return -EIO;
	*object_size = st.st_size;
	while (at < end) {
		long data = raw_syscall(SYS_lseek, fd, at, SEEK_DATA);
		long hole = data < 0 ? data
				     : raw_syscall(SYS_lseek, fd, data, SEEK_HOLE);

		if (data == -ENXIO || data >= (long)end)
			break;
		if (hole < 0)
			return hole;
		if (hole > (long)end)
			hole = end;
		for (at = data; at < (uint64_t)hole;) {
			long n = raw_syscall(SYS_pread64, fd, to + (at - begin),
					     hole - at, at);

			if (n == -EINTR)
				continue;
			if (n < 0)
				return n;
			if (!n)
				return 0; /* it has been truncated since */
			at += n;
		}
	}
	return 0;
}

static bool is_zero(const uint64_t *page)
{
	unsigned int i;

	for (i = 0; i < PAGE_SIZE / sizeof(*page); i++)
		if (page[i])
			return false;
	return true;
}

/* What can be read of the mapping; it ends where the object does. */
static int copy_mapped(const struct descriptor_vma *vma, uint64_t to,
		       uint64_t *object_size)
{
	uint64_t block[BLOCK_SIZE / sizeof(uint64_t)];
	const uint64_t size = vma->end - vma->start;
	const long self = raw_syscall(SYS_getpid);
	uint64_t done = 0;
	long i, n;

	*object_size = 0;
	raw_syscall(SYS_mprotect, vma->start, size, PROT_READ);
	for (; done < size; done += n) {
		struct iovec local = { block, size - done };
		struct iovec remote = { (void *)(vma->start + done), 0 };

		if (local.iov_len > sizeof(block))
			local.iov_len = sizeof(block);
		remote.iov_len = local.iov_len;
		n = raw_syscall(SYS_process_vm_readv, self, &local, 1, &remote, 1,
				0);
		if (n == -EFAULT && done) {
			*object_size = vma->offset + done;
			return 0;
		}
		if (n < PAGE_SIZE)
			return n < 0 ? n : -EIO;
		n -= n % PAGE_SIZE;
		for (i = 0; i < n; i += PAGE_SIZE)
			if (!is_zero(block + i / sizeof(block[0])))
				__builtin_memcpy((void *)(to + done + i),
						 block + i / sizeof(block[0]),
						 PAGE_SIZE);
	}
	return 0;
}

int shared_copies_take(const struct vma_list *list, struct shared_copies *copies,
		       struct shadow_refusal *refusal)
{
	uint64_t to;
	uint32_t i;
	long at;
	int err;

	*copies = (struct shared_copies){ 0 };
	err = measure(list, &copies->size, refusal);
	if (err || !copies->size)
		return err;
	at = raw_syscall(SYS_mmap, RAW_MAP_HINT(RAW_MAP_SHARED_COPIES), copies->size,
			 PROT_READ | PROT_WRITE,
			 MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	if (at < 0 && at > -4096)
		return at;
	to = copies->at = at;
	for (i = 0; !err && i < list->count; i++) {
		struct descriptor_vma *vma = &list->vmas[i];
		uint64_t size = 0;
		long fd;

		if (!is_taken(list, i))
			continue;
		/* A private mapping has pages of its own. */
		fd = descriptor_is_object(vma) ? open_object(vma) : -1;
		err = fd < 0 ? copy_mapped(vma, to, &size)
			     : copy_data(fd, vma, to, &size);
		if (descriptor_is_object(vma))
			vma->file_version = size;
		if (fd >= 0)
			raw_syscall(SYS_close, fd);
		if (err)
			refuse(refusal, REFUSED_UNREADABLE,
			       shared_object_name(list, vma));
		to += vma->end - vma->start;
	}
	return err;
}

int shared_copies_place(const struct vma_list *list,
			const struct shared_copies *copies)
{
	uint64_t from = copies->at;
	uint32_t i;

	for (i = 0; copies->size && i < list->count; i++) {
		const struct descriptor_vma *vma = &list->vmas[i];
		uint64_t size = vma->end - vma->start;
		long at;

		if (!is_taken(list, i))
			continue;
		raw_syscall(SYS_mprotect, from, size, vma->protection);
		at = raw_syscall(SYS_mremap, from, size, size,
				 MREMAP_MAYMOVE | MREMAP_FIXED, vma->start);
		if (at != (long)vma->start)
			return at;
		from += size;
	}
	return 0;
}

/* Writes one VMA's copy to the new object, and maps that in its place. */
static int share(const struct descriptor_vma *vma, long fd, uint64_t offset)
{
	const uint64_t size = vma->end - vma->start;
	uint64_t left = shared_object_bytes(vma), at = vma->start, to = offset;
	uint64_t n;
	long done;

	raw_syscall(SYS_mprotect, vma->start, size, PROT_READ);
	for (; left; left -= n, at += n, to += n) {
		n = left < PAGE_SIZE ? left : PAGE_SIZE;
		if (is_zero((const uint64_t *)at))
			continue;
		done = raw_syscall(SYS_pwrite64, fd, at, n, to);
		if (done != (long)n)
			return done < 0 ? done : -ENOSPC;
	}
	done = raw_syscall(SYS_mmap, vma->start, size, vma->protection,
			   MAP_SHARED | MAP_FIXED, fd, offset);
	if (done != (long)vma->start)
		return done;
	if (vma->flags & DESCRIPTOR_VMA_NO_DUMP)
		raw_syscall(SYS_madvise, vma->start, size, MADV_DONTDUMP);
	return 0;
}

static int share_all(const struct vma_list *list, uint32_t first)
{
	const struct object_extent extent = shared_object_extent(list, first);
	long fd = raw_syscall(SYS_memfd_create, "shared", MFD_CLOEXEC);
	int err = fd < 0 ? fd : raw_syscall(SYS_ftruncate, fd, extent.size);
	uint32_t i;

	for (i = first; !err && i < list->count; i++)
		if (shared_object_same(list, first, i))
			err = share(&list->vmas[i], fd,
				    list->vmas[i].offset - extent.offset);
	if (fd >= 0)
		raw_syscall(SYS_close, fd);
	return err;
}

int shared_copies_share(const struct descriptor_header *d)
{
	const struct vma_list list = shared_object_vmas(d);
	uint32_t i;
	int err = 0;

	for (i = 0; i < list.count && !err; i++)
		if (shared_object_is_first(&list, i))
			err = share_all(&list, i);
	return err;
}
