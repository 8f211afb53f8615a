// SPDX-License-Identifier: GPL-2.0
/* 6.3 */
#include <linux/capability.h>

u64 mitosis_try(const kernel_cap_t *set);
u64 mitosis_try(const kernel_cap_t *set)
{
	return set->val;
}
