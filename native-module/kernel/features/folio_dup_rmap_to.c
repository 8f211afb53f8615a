// SPDX-License-Identifier: GPL-2.0
/* 6.15: the VMA of the copy, too */
#include <linux/mm.h>
#include <linux/rmap.h>

int mitosis_try(struct page *page, struct vm_area_struct *to, struct vm_area_struct *from);
int mitosis_try(struct page *page, struct vm_area_struct *to, struct vm_area_struct *from)
{
	return folio_try_dup_anon_rmap_pte(page_folio(page), page, to, from);
}
