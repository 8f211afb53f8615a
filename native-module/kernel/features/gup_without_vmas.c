// SPDX-License-Identifier: GPL-2.0
/* 6.5 */
#include <linux/mm.h>

long mitosis_try(struct mm_struct *mm, struct page **page);
long mitosis_try(struct mm_struct *mm, struct page **page)
{
	return get_user_pages_remote(mm, 0, 1, 0, page, NULL);
}
