/* SPDX-License-Identifier: GPL-2.0 */
/* Writing the descriptor of a snapshot, from its shadow's VMAs. */
#ifndef MITOSIS_DESCRIBE_H
#define MITOSIS_DESCRIBE_H

#include <linux/types.h>

struct mm_struct;
struct snapshot;

/*
 * Fills in snapshot->descriptor and ->files, with snapshot->lock. The files' paths
 * begin at snapshot->root. Returns 0 or -errno.
 */
int describe(struct snapshot *snapshot);
void describe_destroy(struct snapshot *snapshot);

/* What descriptor_hash() says of a process's vdso; 0 if it has none. */
u64 describe_vdso(const struct mm_struct *mm);

struct vm_area_struct;
/* One of the kernel's own VMAs, which a child has too: vdso, vvar. */
bool describe_is_kernel_vma(struct vm_area_struct *vma);

#endif /* MITOSIS_DESCRIBE_H */
