/* SPDX-License-Identifier: GPL-2.0 */
/* What a VMA is, as far as a snapshot treats it otherwise. */
#ifndef MITOSIS_VMA_KINDS_H
#define MITOSIS_VMA_KINDS_H

#include <linux/types.h>

struct file;
struct vm_area_struct;

/* Whether other processes can open the file by its path. */
bool mitosis_file_is_mappable(const struct file *file);

/* Whether a VMA is mapped by the kernel in every process: vdso, vvar. */
bool mitosis_vma_is_kernel(struct vm_area_struct *vma);
/* The kernel's name of such a VMA, or "". */
const char *mitosis_vma_special_name(struct vm_area_struct *vma);

/* Whether a VMA is of memory without a file that others could open, as in shared_memory.h. */
bool mitosis_vma_has_object(const struct vm_area_struct *vma);
/* The same, and mapped with MAP_SHARED. */
bool mitosis_vma_is_object(const struct vm_area_struct *vma);

#endif /* MITOSIS_VMA_KINDS_H */
