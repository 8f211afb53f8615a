// SPDX-License-Identifier: GPL-2.0
/* 6.18: a bitmap with functions of its own */
#include <linux/mm.h>
#include <linux/sched/coredump.h>

void mitosis_try(struct mm_struct *mm);
void mitosis_try(struct mm_struct *mm)
{
	__mm_flags_set_mask_dumpable(mm, SUID_DUMP_DISABLE);
}
