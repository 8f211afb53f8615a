/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Serving the page faults of children from a page source. Runs in shadows, too:
 * no libc, no globals.
 */
#ifndef PAGING_PAGER_H
#define PAGING_PAGER_H

#include <stdbool.h>
#include <stdint.h>

#include "paging/address_map.h"
#include "paging/page_source.h"

/* Which pages the children of a snapshot need: what one of them touched first. */
struct lesson {
	uint64_t *pages;		/* addresses in the snapshot */
	uint32_t count, capacity;
};

/* One address space: a child's, or that of a process it forked. */
struct paged {
	int uffd;
	uint32_t window;		/* pages per fault, a power of two */
	uint64_t page_size;
	struct page_source *source;
	bool lost;			/* `source` has failed: what is missing cannot be read */
	struct address_map map;
	struct lesson *lesson;		/* gets what this one touches; NULL: nothing does */
};

/* What paged_serve() found. */
enum paged_event {
	PAGED_NOTHING,			/* all faults are served */
	PAGED_FORKED,			/* the address space was forked: see `forked` */
	PAGED_GONE,			/* nobody lives there any more */
	PAGED_FAILED,			/* somebody does, but the source gives no page */
};

/*
 * Serves what is waiting at a userfaultfd. On PAGED_FORKED, *forked is the
 * new address space, to be served from now on; call again.
 */
enum paged_event paged_serve(struct paged *paged, struct paged *forked);

/*
 * Gives the pages of [address, address + length) that are still missing, before
 * anybody asks for them. They lie in one segment. False if no more can be given.
 */
bool paged_push(const struct paged *paged, uint64_t address, const void *bytes,
		uint64_t length);

/* Copies every page that the snapshot holds. Returns 0 or -errno. */
int paged_copy_all(struct paged *paged);

/* True while a process lives in the address space. */
bool paged_is_alive(const struct paged *paged);

void paged_destroy(struct paged *paged);

#endif /* PAGING_PAGER_H */
