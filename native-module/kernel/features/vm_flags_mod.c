// SPDX-License-Identifier: GPL-2.0
/* 6.3 */
#include <linux/mm.h>

void mitosis_try(struct vm_area_struct *vma);
void mitosis_try(struct vm_area_struct *vma)
{
	vm_flags_mod(vma, VM_MIXEDMAP, 0);
}
