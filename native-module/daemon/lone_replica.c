// SPDX-License-Identifier: Apache-2.0
#include "daemon/lone_replica.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "daemon/replica_memory.h"

/* What the replica that runs now has, if it has been given all; else NULL. */
static const struct held_pages *held_by_replica(const struct remote_memory *m)
{
	const struct held_pages *h = atomic_load(&m->held);

	return h && h->replica == m->replica_number &&
			       replica_memory_is_there(m->replica)
		       ? h
		       : NULL;
}

bool lone_replica_begin(struct remote_memory *m)
{
	if (m->source.alone)
		return true;
	if (m->dropped || !held_by_replica(m))
		return false;
	m->source.alone = true;
	fprintf(stderr,
		"mitosis: machine %u at %s has gone; its snapshot %u goes on from "
		"the replica here, which has all of it\n",
		m->machine_id, m->place, m->handler_id);
	snprintf(m->failure, sizeof(m->failure),
		 "mitosis: machine %u at %s has gone, and so has the replica that "
		 "had snapshot %u; the child ends\n",
		 m->machine_id, m->place, m->handler_id);
	m->source.failure = m->failure;
	return true;
}

/* Of pages that are in no run: as many as there are up to `end`, at most a buffer full. */
static int fetch_others(struct remote_memory *m, uint64_t address, uint64_t end,
			uint64_t *length, const void **bytes)
{
	const struct descriptor_vma *v =
		descriptor_find_vma(m->source.descriptor, address);

	if (!v)
		return -EFAULT;
	if (end > v->end)
		end = v->end;
	*bytes = m->buffer;
	if (v->kind == VMA_FILE) {
		*length = replica_memory_read_file(m->replica, v, address,
						   m->page_size, m->buffer);
		return *length ? 0 : -EFAULT;
	}
	/* A file's pages that could be read are in runs. */
	if (v->inode)
		return -EFAULT;
	if (*length > end - address)
		*length = end - address;
	memset(m->buffer, 0, *length);
	return 0;
}

int lone_replica_fetch(struct remote_memory *m, uint64_t address, uint64_t *length,
		       const void **bytes)
{
	const struct held_pages *h = held_by_replica(m);
	const struct held_run *run;
	uint64_t there;

	if (!h)
		return -EIO;
	if (*length > WIRE_PAGES_MAX)
		*length = WIRE_PAGES_MAX;
	run = held_pages_find(h, address);
	if (!run || run->start > address)
		return fetch_others(m, address, run ? run->start : UINT64_MAX,
				    length, bytes);
	if (!run->readable)
		return -EFAULT;
	if (*length > run->end - address)
		*length = run->end - address;
	there = replica_memory_read(m->replica, m->source.descriptor, address,
				    *length, m->buffer);
	/* The kernel has taken its memory: it is about to end. */
	if (!there)
		return -EIO;
	*length = there;
	*bytes = m->buffer;
	return 0;
}

int lone_replica_admit(const struct remote_memory *m)
{
	return held_by_replica(m) ? 0 : -EIO;
}
