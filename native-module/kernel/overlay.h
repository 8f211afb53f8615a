/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The pages that a child has dropped (madvise(MADV_DONTNEED)): they read as zeros,
 * no longer as in the snapshot. There is one overlay per address space; it exists
 * as long as the address space has VMAs of the map file.
 *
 * The overlay identifies a page by its number in the map file, which does not
 * change when a VMA is split, moved or forked. The mmu notifier reports dropped
 * ranges by address, at times when the VMAs must not be read; so the overlay has
 * its own map from addresses to page numbers.
 */
#ifndef MITOSIS_OVERLAY_H
#define MITOSIS_OVERLAY_H

#include <linux/types.h>

struct mm_struct;
struct overlay;
struct task_struct;
struct vm_area_struct;

void mitosis_overlay_exit(void);

/*
 * Creates the overlay of the calling process, which becomes a child of a snapshot
 * of this depth. Returns it with a reference, or an error pointer.
 */
struct overlay *mitosis_overlay_create(unsigned int depth);
void mitosis_overlay_put(struct overlay *overlay);

/* Stores the overlay in vma->vm_private_data, with a reference of the VMA. */
void mitosis_overlay_add(struct overlay *overlay, struct vm_area_struct *vma);

/* Whether a VMA maps a child's map file: its vm_ops are those below. */
bool mitosis_overlay_owns(const struct vm_area_struct *vma);

/* vm_ops: the VMA was created by splitting, moving or forking another one. */
void mitosis_overlay_vma_opened(struct vm_area_struct *vma);
void mitosis_overlay_vma_closed(struct vm_area_struct *vma);
/* The VMA has been moved to its address, and may have grown. Returns 0. */
int mitosis_overlay_vma_moved(struct vm_area_struct *vma);

enum overlay_page {
	OVERLAY_SNAPSHOT, /* as the snapshot has it */
	OVERLAY_DROPPED,  /* zeros */
	OVERLAY_UNKNOWN,  /* memory ran out: the set is incomplete */
};

/* Pages by which a VMA has grown are OVERLAY_DROPPED too: they are zeros. */
enum overlay_page mitosis_overlay_look(struct vm_area_struct *vma, unsigned long address,
				       unsigned long number);

/*
 * A process was forked and does not run yet. If its parent is a child, it gets
 * an mmu notifier of its own before its first instruction in user mode.
 */
void mitosis_overlay_forked(struct task_struct *task);

/* The depth of the snapshot that an address space is a child of; 0 if of none. */
unsigned int mitosis_overlay_depth(struct mm_struct *mm);

#endif /* MITOSIS_OVERLAY_H */
