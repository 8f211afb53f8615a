// SPDX-License-Identifier: Apache-2.0
/* Runs in shadows: no libc, no globals. */
#define _GNU_SOURCE
#include "lib/own_memory.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/uio.h>

#include "lib/pagemap.h"
#include "paging/raw_syscall.h"

/* Pages have the addresses that they had in the parent. */
static int own_fetch(struct page_source *source, uint64_t address, uint64_t *length,
		     const void **bytes)
{
	*bytes = (const void *)address;
	return source->sets_aside
		       ? late_memory_find(&((struct own_memory *)source)->late,
					  source, address, length)
		       : 0;
}

static int own_late_in_ms(const struct page_source *source)
{
	return late_memory_in_ms(&((const struct own_memory *)source)->late);
}

static uint32_t own_late_files(const struct page_source *source,
			       int files[PAGE_SOURCE_LATE_MAX])
{
	return late_memory_files(&((const struct own_memory *)source)->late, files);
}

static bool own_late_serve(struct page_source *source)
{
	return late_memory_serve(&((struct own_memory *)source)->late,
				 &source->trace);
}

static int own_next_run(struct page_source *source, uint64_t *start, uint64_t *end)
{
	struct own_memory *own = (struct own_memory *)source;

	return pagemap_next_present(own->pagemap, start, end, own->page_size);
}

/*
 * Reads pages that a resumed child has not fetched when it is a parent itself:
 * unlike /proc/self/mem, this call waits for a userfaultfd.
 */
static long fetch_and_read(uint64_t address, void *buffer, size_t size)
{
	struct iovec to = { .iov_base = buffer, .iov_len = size };
	struct iovec from = { .iov_base = (void *)address, .iov_len = size };

	return raw_syscall(SYS_process_vm_readv, raw_syscall(SYS_getpid), &to, 1,
			   &from, 1, 0);
}

/*
 * Reads /proc/self/mem, which ignores PROT_NONE and returns an error for holes
 * instead of raising SIGSEGV.
 */
static int own_read(struct page_source *source, uint64_t address, void *buffer,
		    size_t size)
{
	struct own_memory *own = (struct own_memory *)source;
	size_t done = 0;

	while (done < size) {
		long n = raw_syscall(SYS_pread64, own->memory, (char *)buffer + done,
				     size - done, address + done);

		if (n == -EINTR)
			continue;
		if (n <= 0)
			n = fetch_and_read(address + done, (char *)buffer + done,
					   size - done);
		if (n <= 0)
			return -EFAULT;
		done += n;
	}
	return 0;
}

static int own_memory_file(const struct page_source *source)
{
	return ((const struct own_memory *)source)->memory;
}

void own_memory_init(struct own_memory *own, uint64_t page_size)
{
	own->source.fetch = own_fetch;
	own->source.next_run = own_next_run;
	own->source.read = own_read;
	own->source.memory = own_memory_file;
	own->source.late_in_ms = own_late_in_ms;
	own->source.late_files = own_late_files;
	own->source.late_serve = own_late_serve;
	own->page_size = own->late.page_size = page_size;
}

int own_memory_open(struct own_memory *own)
{
	own->memory = raw_open("/proc/self/mem", O_RDONLY | O_CLOEXEC);
	own->pagemap = raw_open("/proc/self/pagemap", O_RDONLY | O_CLOEXEC);
	own->late.pagemap = own->pagemap;
	own->self = raw_syscall(SYS_pidfd_open, raw_syscall(SYS_getpid), 0);
	return own->memory < 0 ? own->memory : own->pagemap < 0 ? own->pagemap : 0;
}

void own_memory_raise_files(struct own_memory *own)
{
	struct rlimit files;

	raw_syscall(SYS_prlimit64, 0, RLIMIT_NOFILE, 0, &own->files);
	files = own->files;
	files.rlim_cur = files.rlim_max;
	raw_syscall(SYS_prlimit64, 0, RLIMIT_NOFILE, &files, 0);
}

/*
 * Sets the protection of each VMA that the parent cannot read. It stays executable: it could not
 * become so again (PR_SET_MDWE).
 */
static void protect_unreadable(const struct descriptor_header *d, bool readable)
{
	const struct descriptor_vma *vmas = descriptor_vmas(d);
	uint32_t i;

	for (i = 0; i < d->vma_count; i++)
		if ((vmas[i].kind == VMA_SNAPSHOT || vmas[i].kind == VMA_FILE) &&
		    !(vmas[i].protection & PROT_READ))
			raw_syscall(SYS_mprotect, vmas[i].start,
				    vmas[i].end - vmas[i].start,
				    vmas[i].protection | (readable ? PROT_READ : 0));
}

void own_memory_make_readable(const struct descriptor_header *d)
{
	protect_unreadable(d, true);
}

void own_memory_restore_protection(const struct descriptor_header *d)
{
	protect_unreadable(d, false);
}
