// SPDX-License-Identifier: GPL-2.0
/* 6.18: flags are read by a function, also where those of dumping are not among them */
#include <linux/mm_types.h>

unsigned long mitosis_try(const struct mm_struct *mm);
unsigned long mitosis_try(const struct mm_struct *mm)
{
	return __mm_flags_get_word(mm);
}
