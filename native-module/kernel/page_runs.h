/* SPDX-License-Identifier: GPL-2.0 */
/* Which pages of a snapshot's memory are worth copying: holes of sparse memory are not. */
#ifndef MITOSIS_PAGE_RUNS_H
#define MITOSIS_PAGE_RUNS_H

#include <linux/types.h>

struct shadow_pages;
struct vm_area_struct;

/*
 * Narrows [*start, *end), multiples of the page size, to its first run of pages that may be
 * other than zeros. A run is 64 MiB at most; the next one may begin where it ends. False if
 * there is none. Sleeps.
 */
bool mitosis_pages_next_run(struct shadow_pages *pages, u64 *start, u64 *end);

/*
 * Narrows a range of a child's VMA, of which its page table has no page, to the first run of
 * pages that may be other than zeros. False if there is none. Sleeps; may ask another machine.
 * In child.c: a child's missing pages are those of a snapshot, in which it looks by the above.
 */
bool mitosis_child_next_run(struct vm_area_struct *vma, unsigned long *start, unsigned long *end);

/* The end of a VMA's range in its file, behind which no page can be read. */
unsigned long mitosis_vma_end_in_file(struct vm_area_struct *vma);

#endif /* MITOSIS_PAGE_RUNS_H */
