/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The pages of a snapshot of this machine, as its shadow has them. Children map
 * an anonymous page as fork(2) would: the same page, read-only. What cannot be
 * shared so (file cache, huge TLB pages, pinned ones) is copied once; children
 * share the copy, which is kept by its number in the parent's memory.
 *
 * A page that a child has in common with the shadow is nobody's alone, so that
 * whoever writes copies it, as long as the shadow has it in its page table or in
 * swap. It always has: nobody else works on its memory, and mitosis_pages_seal() keeps
 * the kernel's own helpers away.
 */
#ifndef MITOSIS_PAGES_H
#define MITOSIS_PAGES_H

#include <linux/mm_types.h>
#include <linux/xarray.h>

struct shadow_pages {
	struct mm_struct *shadow;	/* see shadow.h */
	/* Of a parent that is a child itself, one more than its own snapshot's. */
	unsigned int depth;
	struct xarray copies;		/* of pages that cannot be shared, by number */
};

/* Without a shadow, which the caller adds; mitosis_pages_destroy() drops it. */
void mitosis_pages_init(struct shadow_pages *pages, unsigned int depth);
void mitosis_pages_destroy(struct shadow_pages *pages);

/* Before the first child: no huge pages made, no equal pages merged. */
void mitosis_pages_seal(struct shadow_pages *pages);

/*
 * Maps pages from `from` in the parent, so many as there are without waiting, at
 * `address` in `vma`, with its mmap_lock. Returns 1 if there is a page at
 * `needed` now, 0 if there is not, -ENOMEM.
 */
int mitosis_pages_map_shared(struct shadow_pages *pages, unsigned long from,
			     struct vm_area_struct *vma, unsigned long address,
			     unsigned long count, unsigned long needed);

/*
 * One page to be copied from, never mapped: with a reference; NULL for memory
 * that was never touched, which reads as zeros. Returns 0 or -errno: -EFAULT the
 * snapshot has no memory there. Sleeps.
 */
int mitosis_pages_peek(struct shadow_pages *pages, unsigned long address,
		       struct page **page);

/* The same, in the shape in which mitosis_pages_map_shared() may share it. */
int mitosis_pages_peek_split(struct shadow_pages *pages, unsigned long address,
			     struct page **page);

/* The same, as a filled buffer of one page. Returns 0 or -errno. */
int mitosis_pages_read(struct shadow_pages *pages, unsigned long address, void *buffer);

/* A copy of a page, to be mapped like one of a file; NULL: no memory. */
struct page *mitosis_pages_copy(struct page *page);

/*
 * Its copy that all children share; with a reference, or an error pointer. `page`
 * is what mitosis_pages_peek() found there.
 */
struct page *mitosis_pages_shared_copy(struct shadow_pages *pages, unsigned long address,
				       struct page *page);

/* Maps zeros at an address whose page table entry is locked. */
void mitosis_pages_set_zero(struct vm_area_struct *vma, unsigned long address,
			    pte_t *pte);

#endif /* MITOSIS_PAGES_H */
