/* SPDX-License-Identifier: GPL-2.0 */
/* Writing the descriptor of a snapshot, from its shadow's VMAs. */
#ifndef MITOSIS_DESCRIBE_H
#define MITOSIS_DESCRIBE_H

#include <linux/types.h>

struct mm_struct;
struct snapshot;

/*
 * Fills in snapshot->descriptor and ->files. By the parent itself, whose root is
 * where the files' paths begin. Returns 0 or -errno.
 */
int describe(struct snapshot *snapshot, struct mm_struct *shadow);
void describe_destroy(struct snapshot *snapshot);

/* What descriptor_hash() says of this kernel's vdso; 0 if a process has none. */
u64 describe_own_vdso(void);

struct vm_area_struct;
/* One of the kernel's own VMAs, which a child has too: vdso, vvar. */
bool describe_is_kernel_vma(struct vm_area_struct *vma);

#endif /* MITOSIS_DESCRIBE_H */
