/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What a process has dropped of its parent's memory (madvise(MADV_DONTNEED)):
 * that reads as zeros, not as the snapshot. One overlay per address space; it
 * lives as long as there are VMAs of the map file in it.
 *
 * A page is known by its number in the map file, which stays when the VMA is
 * split, moved or forked. The kernel tells of dropped ranges by address, at
 * moments when its VMAs must not be looked at; so the overlay keeps a map of
 * its own from addresses to page numbers.
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
 * For the calling process, which is to become a child of a snapshot of this
 * depth. The caller holds it until mitosis_overlay_put(). Returns it or an error pointer.
 */
struct overlay *mitosis_overlay_create(unsigned int depth);
void mitosis_overlay_put(struct overlay *overlay);

/* vma->vm_private_data becomes the overlay, which the VMA holds from then on. */
void mitosis_overlay_add(struct overlay *overlay, struct vm_area_struct *vma);

/* Whether a VMA is one of a child's map file: its ops then are those below. */
bool mitosis_overlay_owns(const struct vm_area_struct *vma);

/* A VMA that came by splitting, moving or forking one with an overlay. */
void mitosis_overlay_vma_opened(struct vm_area_struct *vma);
void mitosis_overlay_vma_closed(struct vm_area_struct *vma);
/* It has been moved to where it is, and may have grown. Returns 0. */
int mitosis_overlay_vma_moved(struct vm_area_struct *vma);

enum overlay_page {
	OVERLAY_SNAPSHOT,	/* as the snapshot has it */
	OVERLAY_DROPPED,	/* zeros */
	OVERLAY_UNKNOWN,	/* for lack of memory, nobody knows */
};

/* OVERLAY_DROPPED also for what a VMA has grown by: that is zeros. */
enum overlay_page mitosis_overlay_look(struct vm_area_struct *vma, unsigned long address,
				       unsigned long number);

/*
 * A process was forked and does not run yet. If its parent is a child, it gets
 * an mmu notifier of its own before its first instruction in user mode.
 */
void mitosis_overlay_forked(struct task_struct *task);

/* How deep what an address space was resumed from is; 0: it was not. */
unsigned int mitosis_overlay_depth(struct mm_struct *mm);

#endif /* MITOSIS_OVERLAY_H */
