/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The pages of a snapshot of this machine, as its shadow has them. Children map
 * an anonymous page as fork(2) would: the same page, read-only. Other pages (file
 * cache, huge TLB pages, pinned pages) are copied once; children share the copy,
 * which is kept by its number in the parent's memory. Shared memory is copied at prepare.
 *
 * A page that a child shares with the shadow is not exclusive, so a writer copies
 * it, as long as the shadow has it in its page table or in swap. The shadow always
 * has it: no thread runs in the shadow, and mitosis_pages_seal() excludes it from
 * khugepaged and KSM.
 */
#ifndef MITOSIS_PAGES_H
#define MITOSIS_PAGES_H

#include <linux/atomic.h>
#include <linux/maple_tree.h>
#include <linux/mm_types.h>
#include <linux/xarray.h>

struct shadow_pages {
	struct mm_struct *shadow; /* see shadow.h */
	/* 1; for a parent that is a child itself, its snapshot's depth plus 1. */
	unsigned int depth;
	struct xarray copies; /* of pages that cannot be shared, by number */
	/* Addresses of shared memory, which has no pages but in `copies`: shared_memory.h. */
	struct maple_tree copied;
	u32 payer;	    /* the user in whose share they are: shares.h */
	atomic_long_t paid; /* how many are in it */
};

/* The caller sets `shadow` later; mitosis_pages_destroy() drops it. */
void mitosis_pages_init(struct shadow_pages *pages, unsigned int depth, u32 payer);
void mitosis_pages_destroy(struct shadow_pages *pages);

/*
 * Counts so many pages more as the payer's, until mitosis_pages_destroy(). Returns 0, -ENOSPC: they
 * are more than a user may have, or -ENOMEM.
 */
int mitosis_pages_pay(struct shadow_pages *pages, unsigned long count);

/* Must be called before the first child: excludes the shadow from khugepaged and KSM. */
void mitosis_pages_seal(struct shadow_pages *pages);

/*
 * Maps the pages at `from` in the parent that are present and sharable at `address`
 * in `vma`, whose mmap_lock the caller holds. Returns 1 if a page is mapped at
 * `needed` now, 0 if none is, or -ENOMEM.
 */
int mitosis_pages_map_shared(struct shadow_pages *pages, unsigned long from,
			     struct vm_area_struct *vma, unsigned long address, unsigned long count,
			     unsigned long needed);

/*
 * Finds a page to copy from; it must not be mapped to a child. Returns 0 with a
 * reference to the page, or with NULL for memory that was never touched and reads
 * as zeros; or -errno: -EFAULT if the snapshot has no memory there. Sleeps.
 */
int mitosis_pages_peek(struct shadow_pages *pages, unsigned long address, struct page **page);

/* The same; a huge page is split, so that mitosis_pages_map_shared() can share it. */
int mitosis_pages_peek_split(struct shadow_pages *pages, unsigned long address, struct page **page);

/* Copies a page into a buffer. Returns 0 or -errno. */
int mitosis_pages_read(struct shadow_pages *pages, unsigned long address, void *buffer);

/*
 * Copies bytes of one page without waiting for a file system or another machine: of pages that are
 * in memory or in swap. Returns how many they are, all of them, or -errno.
 */
int mitosis_pages_access(struct shadow_pages *pages, unsigned long address, void *buffer,
			 int length);

/*
 * With the mmap_lock held: whether an address has no page, no swap entry and no migration entry.
 * Not for huge pages of the pool.
 */
bool mitosis_pages_is_hole(struct mm_struct *mm, unsigned long address);

/* Whether an address is of shared memory that has been copied. */
bool mitosis_pages_are_copied(struct shadow_pages *pages, unsigned long address);

/* A copy that can be mapped like a page of a file; NULL on lack of memory. */
struct page *mitosis_pages_copy(struct page *page);

/*
 * The copy of a page that all children share, with a reference, or an error
 * pointer. `page` is the result of mitosis_pages_peek() for the address. When the payer may
 * have no more pages, the copy is the caller's alone.
 */
struct page *mitosis_pages_shared_copy(struct shadow_pages *pages, unsigned long address,
				       struct page *page);

/* Maps the zero page at an address whose page table entry is locked. */
void mitosis_pages_set_zero(struct vm_area_struct *vma, unsigned long address, pte_t *pte);

#endif /* MITOSIS_PAGES_H */
