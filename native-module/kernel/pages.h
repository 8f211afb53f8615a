/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The pages of a snapshot of this machine. Children that read a page share it;
 * it is kept in snapshot->pages, by its number in the parent's memory, and the
 * reference there makes sure that nobody ever writes to it in place: neither
 * the parent nor a child is alone with it.
 *
 * A page there is either the shadow's, anonymous and not exclusive to anybody,
 * so that children map it as fork(2) would have them; or a copy that belongs to
 * this module, where the shadow's cannot be shared (file cache, huge TLB pages,
 * pinned ones).
 */
#ifndef MITOSIS_PAGES_H
#define MITOSIS_PAGES_H

#include <linux/mm_types.h>

struct snapshot;

/*
 * Gets the pages from `address` on, to be mapped by children, each with a
 * reference; NULL for memory that was never touched, which reads as zeros.
 * Returns how many, or -errno: -EFAULT the snapshot has no memory there.
 * Sleeps. `copy`: copies that nobody shares instead.
 */
long pages_share(struct snapshot *snapshot, unsigned long address,
		 unsigned long count, bool copy, struct page **pages);

/* One page to be copied from, never mapped. As above. */
int pages_peek(struct snapshot *snapshot, unsigned long address,
	       struct page **page);

/* The same, as a filled buffer of one page. Returns 0 or -EFAULT, ... */
int pages_read(struct snapshot *snapshot, unsigned long address, void *buffer);

struct xarray;
void pages_destroy(struct xarray *pages);

/* Drops what pages_share() has got. */
void pages_put(struct page **pages, long count);

/* True if a child may map it as an anonymous page. */
bool page_is_shadows(struct page *page);

#endif /* MITOSIS_PAGES_H */
