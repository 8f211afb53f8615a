/* SPDX-License-Identifier: Apache-2.0 */
/* The memory of the calling process as a page source: a shadow serves its own. */
#ifndef LIB_OWN_MEMORY_H
#define LIB_OWN_MEMORY_H

#include <stdint.h>
#include <sys/resource.h>

#include "lib/late_memory.h"
#include "lib/told_files.h"
#include "paging/page_source.h"
#include "proto/descriptor.h"

struct own_memory {
	struct page_source source; /* first: a page server knows only this */
	int memory;		   /* /proc/self/mem */
	int pagemap;		   /* /proc/self/pagemap */
	int self;		   /* pidfd of this process, or -errno */
	uint64_t page_size;
	struct rlimit files; /* RLIMIT_NOFILE of the parent, for clones */
	struct late_memory late;
	/* A replica: its clones are children of its pager, which has the other end of this pipe. */
	bool is_replica;
	int lifeline;
	struct told_files *
		told; /* in what a replica's clones ask: lib/own_plan.h; else NULL */
};

/* Sets the functions that read pages. */
void own_memory_init(struct own_memory *own, uint64_t page_size);

/* Opens what the calling process needs to be served. Returns 0 or -errno. */
int own_memory_open(struct own_memory *own);

/* A page server takes three files for each child: as many as this user may have. */
void own_memory_raise_files(struct own_memory *own);

/*
 * Makes the snapshot's VMAs that the parent cannot read readable, because the
 * page faults of children are served by reading them.
 */
void own_memory_make_readable(const struct descriptor_header *d);

/* Undoes own_memory_make_readable(). */
void own_memory_restore_protection(const struct descriptor_header *d);

#endif /* LIB_OWN_MEMORY_H */
