// SPDX-License-Identifier: Apache-2.0
#include "daemon/lone_replica.h"

#include <errno.h>
#include <string.h>

#include "daemon/replica_memory.h"

/* NULL: it has not been given all, or has ended. */
static const struct held_pages *held_by(const struct lone_replica *r)
{
	const struct held_pages *h = atomic_load(&r->held);

	return h && h->replica == r->number && replica_memory_is_there(r->memory)
		       ? h
		       : NULL;
}

bool lone_replica_has_all(const struct lone_replica *r)
{
	return held_by(r) != NULL;
}

/* Of pages that are in no run, which begins again at `end`. */
static int fetch_others(const struct lone_replica *r,
			const struct descriptor_header *d, uint64_t address,
			uint64_t end, uint64_t *length, char *buffer)
{
	const struct descriptor_vma *v = descriptor_find_vma(d, address);

	if (!v)
		return -EFAULT;
	if (v->kind == VMA_FILE) {
		*length = replica_memory_read_file(r->memory, v, address,
						   d->page_size, buffer);
		return *length ? 0 : -EFAULT;
	}
	/* A file's pages that could be read are in runs. */
	if (v->inode)
		return -EFAULT;
	if (end > v->end)
		end = v->end;
	if (*length > end - address)
		*length = end - address;
	memset(buffer, 0, *length);
	return 0;
}

int lone_replica_fetch(const struct lone_replica *r,
		       const struct descriptor_header *d, uint64_t address,
		       uint64_t *length, char *buffer, uint64_t size)
{
	const struct held_pages *h = held_by(r);
	const struct held_run *run;

	if (!h)
		return -EIO;
	if (*length > size)
		*length = size;
	run = held_pages_find(h, address);
	if (!run || run->start > address)
		return fetch_others(r, d, address, run ? run->start : UINT64_MAX,
				    length, buffer);
	if (!run->readable)
		return -EFAULT;
	if (*length > run->end - address)
		*length = run->end - address;
	*length = replica_memory_read(r->memory, d, address, *length, buffer);
	/* Else the kernel has taken its memory: it is about to end. */
	return *length ? 0 : -EIO;
}
