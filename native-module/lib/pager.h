/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Serving the page faults of children from a page source. Runs in shadows, too:
 * no libc, no globals.
 */
#ifndef LIB_PAGER_H
#define LIB_PAGER_H

#include <stdbool.h>
#include <stdint.h>

#include "lib/address_map.h"
#include "lib/page_source.h"

/* Which pages the first child of a snapshot asked for first. */
struct first_pages {
	uint64_t *addresses;
	uint32_t count, capacity;
	bool taught;			/* a child has been chosen to learn from */
};

/* One address space: a child's, or that of a process it forked. */
struct paged {
	int uffd;
	uint32_t window;		/* pages per fault, a power of two */
	uint64_t page_size;
	struct page_source *source;
	bool lost;			/* `source` has failed: what is missing cannot be read */
	struct address_map map;
	struct first_pages *learns;	/* gets the faults of this one, or NULL */
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
 * Gives a page that nobody has asked for yet, if it is still missing. False if
 * no more can be given.
 */
bool paged_push(const struct paged *paged, uint64_t address, const void *bytes);

/* Copies every page that the snapshot holds. Returns 0 or -errno. */
int paged_copy_all(struct paged *paged);

/* True while a process lives in the address space. */
bool paged_is_alive(const struct paged *paged);

void paged_destroy(struct paged *paged);

#endif /* LIB_PAGER_H */
