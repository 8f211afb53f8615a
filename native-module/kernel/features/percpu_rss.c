// SPDX-License-Identifier: GPL-2.0
/* 6.2 */
#include <linux/mm.h>

void mitosis_try(struct mm_struct *mm);
void mitosis_try(struct mm_struct *mm)
{
	percpu_counter_inc(&mm->rss_stat[MM_ANONPAGES]);
}
