// SPDX-License-Identifier: GPL-2.0
/* Until 6.17 */
#include <linux/mm.h>

int mitosis_try(pmd_t pmd);
int mitosis_try(pmd_t pmd)
{
	return pmd_devmap(pmd);
}
