// SPDX-License-Identifier: GPL-2.0
/*
 * 6.19: what a page table entry without a page says has another type than a swap entry.
 * In 7.2 its header needs the other two before it.
 */
#include <linux/mm.h>
#include <linux/swap.h>
#include <linux/leafops.h>

bool mitosis_try(pte_t pte);
bool mitosis_try(pte_t pte)
{
	return softleaf_is_marker(softleaf_from_pte(pte));
}
