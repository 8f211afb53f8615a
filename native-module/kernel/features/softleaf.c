// SPDX-License-Identifier: GPL-2.0
/* 6.19: what a page table entry without a page says has another type than a swap entry */
#include <linux/leafops.h>

bool mitosis_try(pte_t pte);
bool mitosis_try(pte_t pte)
{
	return softleaf_is_marker(softleaf_from_pte(pte));
}
