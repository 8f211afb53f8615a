// SPDX-License-Identifier: GPL-2.0
/* 6.8: folios instead of pages */
#include <linux/mm.h>
#include <linux/rmap.h>

int mitosis_try(struct page *page, struct vm_area_struct *vma);
int mitosis_try(struct page *page, struct vm_area_struct *vma)
{
	return folio_try_dup_anon_rmap_pte(page_folio(page), page, vma);
}
